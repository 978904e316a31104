import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** What an outbox-process.ts has said, line by line. It is killed when the test ends. */
export class OutboxProcess {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string, undefined>
  readonly said: string[] = []

  /** @param wrapper a program and its arguments, which are followed by the command to run */
  constructor(parameters: readonly (string | number)[], wrapper: readonly string[] = []) {
    const script = fileURLToPath(new URL('outbox-process.ts', import.meta.url))
    const command = [...wrapper, process.execPath, '--conditions=godwit-source', script, ...parameters.map(String)]
    const [program = '', ...rest] = command
    this.#child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#child
    if (stdout === null) throw new Error('there is no output')
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
    onTestFinished(() => this.kill())
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The number of the last message whose commit has resolved; 0: none has. */
  get committed(): number {
    return Number(this.said.findLast((line) => line.startsWith('committed '))?.split(' ')[1] ?? 0)
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
    await this.ended()
  }

  /** Lets it close its outbox. */
  async end(): Promise<number | null> {
    this.#child.stdin?.end()
    return this.ended()
  }

  /** The status with which it ended by itself. */
  async ended(): Promise<number | null> {
    const ended = this.#child.exitCode === null && this.#child.signalCode === null ? once(this.#child, 'exit') : undefined
    for (let line = await this.#lines.next(); line.done !== true; line = await this.#lines.next()) this.said.push(line.value)
    await ended
    return this.#child.exitCode
  }
}
