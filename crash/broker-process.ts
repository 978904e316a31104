import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { withinLimit } from '../interop/mailbox.ts'

const root = join(import.meta.dirname, '..')
const program = join(root, 'packages/cli/src/main.ts')

/** Longer than the program gives itself to close. */
const EXIT_LIMIT_MS = 20_000
const START_LIMIT_MS = 30_000

export interface BrokerProcessOptions {
  /** The folder of its data; undefined: it keeps everything in memory. */
  readonly data: string | undefined
  /** A program and its arguments, which are followed by the command to run. */
  readonly wrapper?: readonly string[]
  readonly nodeFlags?: readonly string[]
  /** More flags of `godwit serve`. */
  readonly flags?: readonly string[]
}

export interface Ports {
  readonly mqtt: number
  readonly http: number
}

/** How a process has ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The program, in a process group of its own, on free ports of loopback, with its data in a folder. */
export class BrokerProcess {
  readonly #child: ChildProcess
  readonly #exited = Promise.withResolvers<Exit>()
  readonly #listening = Promise.withResolvers<Ports>()
  readonly #log: string[] = []
  readonly #endWithUs = (): void => this.#signalGroup('SIGKILL')

  constructor({ data, wrapper = [], nodeFlags = [], flags = [] }: BrokerProcessOptions) {
    const kept = data === undefined ? ['--memory'] : ['--data', data]
    const [command = '', ...parameters] = [
      ...[...wrapper, process.execPath, '--conditions=godwit-source', ...nodeFlags],
      ...[program, 'serve', '--port', '0', '--http-port', '0', '--log-level', 'error', ...kept, ...flags]
    ]
    this.#child = spawn(command, parameters, { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    // Only who waits for it needs to know that it ended before it listened.
    this.#listening.promise.catch(() => {})
    process.once('exit', this.#endWithUs)
    this.#child.once('error', (error) => this.#end({ code: null, signal: null }, error.message))
    this.#child.once('exit', (code, signal) => this.#end({ code, signal }, `it ended with ${signal ?? code}`))
    this.#readOutput()
  }

  /** Resolves when it listens. */
  get listening(): Promise<Ports> {
    return withinLimit(this.#listening.promise, 'the broker to listen', START_LIMIT_MS)
  }

  /** Resolves when it has ended. */
  get exited(): Promise<Exit> {
    return withinLimit(this.#exited.promise, 'the broker to end', EXIT_LIMIT_MS)
  }

  /** What it has written to standard error: errors, and nothing else. */
  get log(): readonly string[] {
    return this.#log
  }

  /** Whether it has ended, killed or by itself. */
  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** SIGKILL, to the process or to its whole group. */
  async kill(whom: 'process' | 'group'): Promise<void> {
    if (whom === 'process') this.#child.kill('SIGKILL')
    else this.#signalGroup('SIGKILL')
    await this.exited
  }

  /** SIGTERM, as an operator would. */
  terminate(): void {
    this.#child.kill('SIGTERM')
  }

  /** Ends it in order. */
  async stop(): Promise<Exit> {
    this.terminate()
    return this.exited
  }

  #readOutput(): void {
    const { stdout, stderr } = this.#child
    if (stdout === null || stderr === null) throw new Error('the program has no output')
    createInterface(stderr).on('line', (line) => this.#log.push(line))
    let mqtt = 0
    createInterface(stdout).on('line', (line) => {
      mqtt ||= portIn(line, /mqtt:\/\/[^ ]*:(\d+)/)
      const http = portIn(line, /http:\/\/[^ ]*:(\d+)\/health/)
      if (http !== 0) this.#listening.resolve({ mqtt, http })
    })
  }

  #end(exit: Exit, how: string): void {
    process.off('exit', this.#endWithUs)
    this.#exited.resolve(exit)
    this.#listening.reject(new Error(`the broker did not get to listen: ${[how, ...this.#log].join('\n')}`))
  }

  #signalGroup(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return
    try {
      process.kill(-this.#child.pid, signal)
    } catch {
      // It has ended by itself.
    }
  }
}

function portIn(line: string, pattern: RegExp): number {
  return Number(pattern.exec(line)?.[1] ?? 0)
}
