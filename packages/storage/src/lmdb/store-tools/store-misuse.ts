/** A tool was asked for what cannot be meant: the message says what is accepted. Nothing was changed. */
export class StoreMisuse extends Error {
  override readonly name = 'StoreMisuse'
}
