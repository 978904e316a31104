/** What has become of a promise by now. */
export type Outcome<Value> =
  | { readonly is: 'pending' }
  | { readonly is: 'resolved'; readonly value: Value }
  | { readonly is: 'rejected'; readonly error: unknown }

/** Looks at a promise without waiting for it; all that is settled already has come through by then. */
export function outcome<Value>(promise: PromiseLike<Value>): Promise<Outcome<Value>> {
  return new Promise((resolve) => {
    promise.then(
      (value) => resolve({ is: 'resolved', value }),
      (error: unknown) => resolve({ is: 'rejected', error })
    )
    setImmediate(() => resolve({ is: 'pending' }))
  })
}
