import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach } from 'vitest'

const main = join(import.meta.dirname, 'main.ts')
const root = join(import.meta.dirname, '../../..')

/** The program as `npm start` runs it, as a process of its own. */
export function spawnGodwit(args: readonly string[], cwd: string, environment: NodeJS.ProcessEnv = {}): ChildProcess {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/godwit'), ...environment }
  return spawn(process.execPath, ['--conditions=godwit-source', main, ...args], { cwd, env })
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program to its end. */
export async function runGodwit(
  args: readonly string[],
  {
    input = '',
    cwd = root,
    environment = {}
  }: { input?: string | Uint8Array; cwd?: string; environment?: NodeJS.ProcessEnv } = {}
): Promise<Finished> {
  const godwit = new Godwit(spawnGodwit(args, cwd, environment))
  godwit.child.stdin?.on('error', () => undefined).end(input)
  const [code] = await godwit.exited
  return { code, stdout: godwit.stdout, stderr: godwit.stderr }
}

/** A running program, with what it has printed so far. */
export class Godwit {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly exited: Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>
  readonly #watchers = new Set<() => void>()

  constructor(child: ChildProcess) {
    this.child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#add({ stdout: text }))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#add({ stderr: text }))
    // `close` comes after the last output.
    this.exited = once(child, 'close').then(([code, signal]: (number | NodeJS.Signals | null)[]) => [
      typeof code === 'number' ? code : null,
      typeof signal === 'string' ? signal : null
    ])
    void this.exited.then(() => this.#add({}))
  }

  #add({ stdout = '', stderr = '' }): void {
    this.stdout += stdout
    this.stderr += stderr
    for (const watcher of this.#watchers) watcher()
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  /** Resolves once it has printed something; rejects if it ends without. */
  printed(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const [found] = pattern.exec(this[stream]) ?? []
        if (found === undefined && this.isRunning) return
        this.#watchers.delete(look)
        const ended = (): Error => new Error(`ended before ${String(pattern)}: ${this.stdout}${this.stderr}`)
        if (found === undefined) reject(ended())
        else resolve(found)
      }
      this.#watchers.add(look)
      look()
    })
  }

  /** The URL with a scheme, of those that it says it listens on. */
  url(scheme: string): string {
    const [found] = new RegExp(`\\b${scheme}:[^"\\s]+`).exec(this.stdout) ?? []
    if (found === undefined) throw new Error(`it does not listen on ${scheme}: ${this.stdout}`)
    return found
  }

  port(scheme: string): number {
    return Number(new URL(this.url(scheme)).port)
  }

  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<readonly [code: number | null, signal: NodeJS.Signals | null]> {
    this.child.kill(signal)
    return this.exited
  }
}

export interface Workbench {
  /** A directory of the test's own. */
  readonly directory: string
  /** Writes a file there and returns its path. */
  file(name: string, text: string): string
  /** Starts `godwit serve` and waits until it is ready. */
  serve(...args: readonly string[]): Promise<Godwit>
  serveIn(environment: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Godwit>
  /** Done after the test, the last first. */
  cleanup(cleanup: () => unknown): void
}

/** For the tests of one file: what they start is ended and what they write is removed after each. */
export function workbench(): Workbench {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-cli-'))
  const cleanups: (() => unknown)[] = []
  afterAll(() => rmSync(directory, { recursive: true, force: true }))
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })
  const serveIn = async (environment: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Godwit> => {
    const godwit = new Godwit(spawnGodwit(['serve', ...args], directory, environment))
    cleanups.push(() => (godwit.isRunning ? godwit.stop('SIGKILL') : undefined))
    await godwit.printed('stdout', /ready.*\n/)
    return godwit
  }
  return {
    directory,
    file(name, text) {
      const path = join(directory, name)
      writeFileSync(path, text)
      return path
    },
    serve: (...args) => serveIn({}, ...args),
    serveIn,
    cleanup: (cleanup) => void cleanups.push(cleanup)
  }
}
