/** A copy that shares nothing that could be changed: what a disk gives back of what was put. */
export function deepCopy<T>(value: T): T
export function deepCopy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map((each: unknown) => deepCopy(each))
  return Object.fromEntries(Object.entries(value).map(([name, each]: [string, unknown]) => [name, deepCopy(each)]))
}
