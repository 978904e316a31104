/** Ends a `switch` that covers its union: the compiler objects when a case is missing. */
export function unreachable(value: never): never {
  throw new TypeError(`Unreachable: ${String(value)}`)
}
