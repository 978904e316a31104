import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** What a store-process.ts, or a process like it, has said, line by line. */
export class StoreProcess {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string, undefined>
  readonly said: string[] = []

  /** @param wrapper a program and its arguments, which are followed by the command to run */
  constructor(
    parameters: readonly (string | number)[],
    wrapper: readonly string[] = [],
    script: URL = new URL('store-process.ts', import.meta.url)
  ) {
    const [program = '', ...rest] = [
      ...wrapper,
      process.execPath,
      '--conditions=godwit-source',
      fileURLToPath(script),
      ...parameters.map(String)
    ]
    this.#child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#child
    if (stdout === null) throw new Error('there is no output')
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The next line that begins so. */
  async says(beginning: string): Promise<string> {
    for (;;) {
      const { value, done } = await this.#lines.next()
      if (done === true) throw new Error(`it ended before it said ${beginning}: ${this.said.slice(-3).join(', ')}`)
      this.said.push(value)
      if (value.startsWith(beginning)) return value
    }
  }

  /** Ends it at once, and reads what it had said by then. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#rest()
  }

  /** The status with which it ended by itself. */
  async status(): Promise<number | null> {
    await this.#rest()
    return this.#child.exitCode
  }

  /** Lets it close its store. */
  async end(): Promise<void> {
    this.#child.stdin?.end()
    await this.#rest()
  }

  async #rest(): Promise<void> {
    const ended = this.#child.exitCode === null && this.#child.signalCode === null ? once(this.#child, 'exit') : undefined
    for (let line = await this.#lines.next(); line.done !== true; line = await this.#lines.next()) this.said.push(line.value)
    await ended
  }

  /** The last sequence number that it acknowledged. */
  get acknowledged(): number {
    const last = this.said.findLast((line) => line.startsWith('committed '))
    return Number(last?.split(' ')[2] ?? 0)
  }
}
