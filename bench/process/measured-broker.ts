import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { BrokerProcess, type BrokerProcessOptions } from '../../crash/broker-process.ts'
import { type Account, readAccount } from './account.ts'

/** What a process takes, in bytes. */
export interface Memory extends Account {
  /** Resident memory of its own: what it would take from other programs for good. */
  readonly anonymous: number
  /** Resident pages of files, those of the store above all: the system takes them back when it needs them. */
  readonly file: number
}

/** The calls of `read` and `write`, with their relatives, that a process has made. */
export interface Calls {
  readonly reads: number
  readonly writes: number
}

export interface MeasuredOptions extends BrokerProcessOptions {
  /** Whether garbage is collected before it tells of its memory. */
  readonly collects: boolean
}

/** The program, looked at from outside, with all that it says of itself but its memory. */
export class MeasuredBroker {
  readonly port: number
  /** From the start of the process until it listens, in milliseconds. */
  readonly startMs: number
  readonly #process: BrokerProcess
  readonly #data: string | undefined

  private constructor(process: BrokerProcess, port: number, startMs: number, data: string | undefined) {
    this.#process = process
    this.port = port
    this.startMs = startMs
    this.#data = data
  }

  static async start({ collects, nodeFlags = [], ...options }: MeasuredOptions): Promise<MeasuredBroker> {
    const startedAt = performance.now()
    const probe = new URL('probe.ts', import.meta.url)
    const probing = [`--import=${probe.href}`, ...(collects ? ['--expose-gc'] : [])]
    const broker = new BrokerProcess({ ...options, nodeFlags: [...probing, ...nodeFlags] })
    const { mqtt } = await broker.listening
    return new MeasuredBroker(broker, mqtt, performance.now() - startedAt, options.data)
  }

  get pid(): number {
    return this.#process.pid
  }

  async memory(): Promise<Memory> {
    const { log, pid } = this.#process
    const asked = log.length
    process.kill(pid, 'SIGUSR2')
    while (log.length === asked && !this.#process.hasExited) await delay(10)
    const account = readAccount(log.at(-1) ?? '')
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return { ...account, anonymous: fieldOf(status, 'RssAnon') * 1024, file: fieldOf(status, 'RssFile') * 1024 }
  }

  get calls(): Calls {
    const io = readFileSync(`/proc/${this.pid}/io`, 'utf8')
    return { reads: fieldOf(io, 'syscr'), writes: fieldOf(io, 'syscw') }
  }

  /** What the data takes on disk: zeros that fill the file up to its end are not counted where the file system does not store them. */
  get fileBytes(): number {
    return this.#data === undefined ? 0 : statSync(join(this.#data, 'data.mdb')).blocks * 512
  }

  async stop(): Promise<void> {
    await this.#process.stop()
  }
}

function fieldOf(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN)
}
