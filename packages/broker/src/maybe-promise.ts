import type { MaybePromise } from '@godwit/storage'

/** Whether a value is still to come; what is at hand must not cost a promise. */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return value instanceof Promise
}
