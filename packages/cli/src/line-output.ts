/** How long a line may wait for others. */
const WAIT_MS = 50
/** Characters that do not wait for more. */
const WAITING_MAX = 16 * 1024

/**
 * Writes lines to a stream, several together: a system call for each would cost more than the line. None is lost when the
 * process ends, unless it is killed.
 */
export class LineOutput {
  readonly #stream: NodeJS.WritableStream
  #lines = ''
  #timer: NodeJS.Timeout | undefined = undefined

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream
    // A log whose reader has gone (`| head`) is no reason for a broker to go as well.
    stream.on('error', () => undefined)
    process.on('exit', () => this.flush())
  }

  /** @param isUrgent it goes at once, with those before it: what it tells of may be the last thing that happens */
  write(line: string, isUrgent = false): void {
    this.#lines += line
    if (isUrgent || this.#lines.length >= WAITING_MAX) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), WAIT_MS)
  }

  /** Writes what is gathered. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const lines = this.#lines
    this.#lines = ''
    if (lines !== '') this.#stream.write(lines)
  }
}
