/** What a process says of its own memory. */
export interface Account {
  /** Bytes of V8's heap in use. */
  readonly heapUsed: number
  /** Bytes of buffers outside of the heap. */
  readonly external: number
  /** Bytes allocated on the heap since the account before this one. */
  readonly allocated: number
  /** The collections of garbage since then, each with the time that the program stood still. */
  readonly pausesMs: readonly number[]
}

/** @throws TypeError if it is not the line of an account */
export function readAccount(line: string): Account {
  const value: unknown = JSON.parse(line)
  if (!isAccount(value)) throw new TypeError(`not an account of memory: ${line}`)
  return value
}

function isAccount(value: unknown): value is Account {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['heapUsed', 'external', 'allocated'].every((name) => typeof Reflect.get(value, name) === 'number') &&
    Array.isArray(Reflect.get(value, 'pausesMs'))
  )
}
