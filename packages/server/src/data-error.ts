import type { StoreErrorCode } from '@godwit/storage/lmdb'

/** Why the broker cannot use the data that it was given: one line for what is wrong, and one for each way on. */
export class DataError extends Error {
  override readonly name = 'DataError'
  readonly code: StoreErrorCode
  readonly lines: readonly string[]

  constructor(code: StoreErrorCode, lines: readonly string[], options?: ErrorOptions) {
    super(lines.join('\n'), options)
    this.code = code
    this.lines = lines
  }
}
