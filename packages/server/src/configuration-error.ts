/** What is wrong with a configuration: one line for each mistake, each with where it is, what was found and what is accepted. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly lines: readonly string[]

  constructor(lines: readonly string[], options?: ErrorOptions) {
    super(lines.join('\n'), options)
    this.lines = lines
  }
}
