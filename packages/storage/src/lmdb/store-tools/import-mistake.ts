/** A line of an export is not what is accepted: the message says what is. */
export class ImportMistake extends Error {
  override readonly name = 'ImportMistake'
  /** From 1. */
  readonly line: number
  /** The message without the line's number. */
  readonly reason: string

  constructor(line: number, reason: string, options?: ErrorOptions) {
    super(`line ${line}: ${reason}`, options)
    this.line = line
    this.reason = reason
  }
}
