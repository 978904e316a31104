/**
 * - `in-use`: another process, or another store of this one, has the folder open
 * - `format`: the folder holds another format than this version reads
 * - `damaged`: a file does not hold what was written to it; nothing was changed
 * - `failed`: the system refused: no room, no permission, an input/output error
 */
export type StoreErrorCode = 'in-use' | 'format' | 'damaged' | 'failed'

/** Why a store on disk cannot be opened, read or written. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export function damaged(what: string, options?: ErrorOptions): StoreError {
  return new StoreError('damaged', `the store is damaged: ${what}`, options)
}
