import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A program in a process of its own, followed by what it prints. */
export class Program {
  readonly lines: string[] = []
  readonly #process: ChildProcess
  readonly #ended: Promise<unknown>
  #onLine = (): void => undefined

  /** Runs a TypeScript file on our sources, with the Node of the tests. */
  constructor(file: string, ...args: readonly string[]) {
    this.#process = spawn(process.execPath, ['--conditions=godwit-source', file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#ended = once(this.#process, 'close')
    for (const input of [this.#process.stdout, this.#process.stderr]) {
      if (input === null) continue
      createInterface({ input }).on('line', (line) => {
        this.lines.push(line)
        this.#onLine()
      })
    }
  }

  /** Resolves once it has printed so many lines that match; rejects if it ends before. */
  async prints(pattern: RegExp, count = 1): Promise<readonly string[]> {
    const matching = (): string[] => this.lines.filter((line) => pattern.test(line))
    const { promise, resolve }: PromiseWithResolvers<void> = Promise.withResolvers()
    this.#onLine = (): void => {
      if (matching().length >= count) resolve()
    }
    this.#onLine()
    await Promise.race([promise, this.#ended])
    if (matching().length < count) throw new Error(`it ended without ${String(pattern)}: ${this.lines.join('\n')}`)
    return matching()
  }

  /** Ends it. Resolves with its status once it is gone, null if the signal ended it. */
  async ends(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal !== undefined) this.#process.kill(signal)
    await this.#ended
    return this.#process.exitCode
  }
}
