/** Writes lines to a stream, those of one turn of the event loop together: a system call for each would cost more than the line. */
export class LineOutput {
  readonly #stream: NodeJS.WritableStream
  #lines = ''

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream
    // A log whose reader has gone (`| head`) is no reason for a broker to go as well.
    stream.on('error', () => undefined)
  }

  write(line: string): void {
    if (this.#lines === '') setImmediate(() => this.flush())
    this.#lines += line
  }

  /** Writes what is gathered, before the process ends. */
  flush(): void {
    const lines = this.#lines
    this.#lines = ''
    if (lines !== '') this.#stream.write(lines)
  }
}
