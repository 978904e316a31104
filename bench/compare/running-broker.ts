import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { BROKERS, type BrokerName } from './brokers.ts'
import { pinned } from './pinned.ts'

const START_LIMIT_MS = 20_000
const STOP_LIMIT_MS = 8_000
/** What it does when it starts, compiling above all, is over by then. */
const SETTLE_MS = 700

/** A broker with a folder of its own, on one processor. */
export class RunningBroker {
  readonly #name: BrokerName
  readonly #folder = mkdtempSync(join(tmpdir(), 'godwit-compare-'))
  readonly #cpu: string
  #port = 0
  #child: ChildProcess | undefined
  readonly #endWithUs = (): void => this.#signal('SIGKILL')

  private constructor(name: BrokerName, cpu: string) {
    this.#name = name
    this.#cpu = cpu
  }

  /** @throws Error if it does not listen in time, with what it wrote */
  static async start(name: BrokerName, cpu: string): Promise<RunningBroker> {
    const broker = new RunningBroker(name, cpu)
    process.once('exit', broker.#endWithUs)
    broker.#port = await freePort()
    try {
      await broker.#start()
    } catch (error) {
      await broker.stop()
      throw error
    }
    return broker
  }

  get port(): number {
    return this.#port
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** How it ended by itself; undefined: it runs. */
  get failure(): string | undefined {
    const child = this.#child
    if (child === undefined || (child.exitCode === null && child.signalCode === null)) return undefined
    return `the broker ended with ${child.signalCode ?? child.exitCode}: ${this.#output}`
  }

  /** Kills it, and starts it again on what is on disk. */
  async crash(): Promise<void> {
    await this.#end('SIGKILL', Infinity)
    await this.#start()
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM', STOP_LIMIT_MS)
    process.off('exit', this.#endWithUs)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #start(): Promise<void> {
    const [command = '', ...parameters] = pinned(this.#cpu, BROKERS[this.#name].command(this.#port, this.#folder))
    const output = openSync(this.#outputFile, 'w')
    this.#child = spawn(command, parameters, { cwd: this.#folder, detached: true, stdio: ['ignore', output, output] })
    const deadline = performance.now() + START_LIMIT_MS
    while (!(await isListening(this.#port))) {
      if (this.failure !== undefined) throw new Error(this.failure)
      if (performance.now() > deadline) throw new Error(`the broker did not listen in time: ${this.#output}`)
      await delay(50)
    }
    await delay(SETTLE_MS)
  }

  async #end(signal: NodeJS.Signals, limitMs: number): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined || this.failure !== undefined) return
    const exited = once(child, 'exit')
    this.#signal(signal)
    const timer = limitMs === Infinity ? undefined : setTimeout(() => this.#signal('SIGKILL'), limitMs)
    await exited
    clearTimeout(timer)
  }

  /** To its whole group: it may have made processes. */
  #signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid
    if (pid === undefined || this.failure !== undefined) return
    try {
      process.kill(-pid, signal)
    } catch {
      // It has ended by itself.
    }
  }

  get #outputFile(): string {
    return join(this.#folder, 'output')
  }

  /** The end of what it wrote, without the folder, which is another each time. */
  get #output(): string {
    return readFileSync(this.#outputFile, 'utf8').replaceAll(this.#folder, 'FOLDER').trim().slice(-400)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

function isListening(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ port, host: '127.0.0.1' })
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
