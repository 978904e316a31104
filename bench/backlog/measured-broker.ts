import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { BrokerProcess } from '../../crash/broker-process.ts'

/** What a process takes, in bytes. */
export interface Memory {
  /** Of V8's heap, after a collection of garbage. */
  readonly heapUsed: number
  /** Buffers outside of the heap, after a collection. */
  readonly external: number
  /** Resident memory of its own: what it would take from other programs for good. */
  readonly anonymous: number
  /** Resident pages of files, those of the store above all: the system takes them back when it needs them. */
  readonly file: number
}

/** The program on a folder, looked at from outside, with all that it says of itself but its heap. */
export class MeasuredBroker {
  readonly port: number
  /** From the start of the process until it listens, in milliseconds. */
  readonly startMs: number
  readonly #process: BrokerProcess
  readonly #data: string

  private constructor(process: BrokerProcess, port: number, startMs: number, data: string) {
    this.#process = process
    this.port = port
    this.startMs = startMs
    this.#data = data
  }

  static async start(data: string): Promise<MeasuredBroker> {
    const startedAt = performance.now()
    const probe = new URL('heap-probe.ts', import.meta.url)
    const broker = new BrokerProcess({ data, nodeFlags: ['--expose-gc', `--import=${probe.href}`] })
    const { mqtt } = await broker.listening
    return new MeasuredBroker(broker, mqtt, performance.now() - startedAt, data)
  }

  async memory(): Promise<Memory> {
    const { log, pid } = this.#process
    const asked = log.length
    process.kill(pid, 'SIGUSR2')
    while (log.length === asked) await delay(10)
    const [, heapUsed, external] = (log.at(-1) ?? '').split(' ').map(Number)
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const kibibytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0)
    return {
      heapUsed: heapUsed ?? 0,
      external: external ?? 0,
      anonymous: kibibytes('RssAnon') * 1024,
      file: kibibytes('RssFile') * 1024
    }
  }

  /** What the data takes on disk: zeros that fill the file up to its end are not counted where the file system does not store them. */
  get fileBytes(): number {
    return statSync(join(this.#data, 'data.mdb')).blocks * 512
  }

  async stop(): Promise<void> {
    await this.#process.stop()
  }
}
