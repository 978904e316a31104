import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { QoS } from '@godwit/client'
import { withinLimit } from '../../interop/mailbox.ts'
import type { ClientLedger } from './client-ledger.ts'

const LIMIT_MS = 60_000
const program = join(import.meta.dirname, 'publishing-process.ts')

export interface PublisherLivesOptions {
  readonly clientId: string
  readonly protocolVersion: 4 | 5
  readonly outbox: string
  readonly url: string
  readonly ledger: ClientLedger
}

/** One publisher, killed and started again on its outbox. */
export class PublisherLives {
  readonly #options: PublisherLivesOptions
  #child: ChildProcess | undefined = undefined
  #life = 0
  #atWork: PromiseWithResolvers<void> = Promise.withResolvers()
  #isDrained = false
  #lostSessions = 0

  constructor(options: PublisherLivesOptions) {
    this.#options = options
    process.once('exit', () => this.#child?.kill('SIGKILL'))
  }

  /** How often the server did not have its session. */
  get lostSessions(): number {
    return this.#lostSessions
  }

  start(seed: number): void {
    this.#atWork = Promise.withResolvers()
    this.#spawn(String(this.#life++), seed)
  }

  /** Resolves once this life has stored something. */
  get atWork(): Promise<void> {
    return withinLimit(this.#atWork.promise, `${this.#options.clientId} to store something`, LIMIT_MS)
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined) return
    if (child.exitCode !== null) {
      this.#options.ledger.fails(`${this.#options.clientId} ended by itself, with ${child.exitCode}`)
      return
    }
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await withinLimit(ended, 'a killed publisher to end')
  }

  /** A last life, which ends when the server has everything. */
  async drain(): Promise<void> {
    const child = this.#spawn('drain', 0)
    await withinLimit(
      new Promise((resolve) => child.once('close', resolve)),
      `${this.#options.clientId} to drain its outbox`,
      LIMIT_MS
    )
    if (!this.#isDrained) this.#options.ledger.fails(`${this.#options.clientId} could not drain its outbox`)
  }

  #spawn(life: string, seed: number): ChildProcess {
    const { url, outbox, clientId, protocolVersion } = this.#options
    const words = [url, outbox, clientId, String(protocolVersion), life, String(seed)]
    const child = spawn(process.execPath, ['--conditions=godwit-source', program, ...words], {
      stdio: ['ignore', 'pipe', 'pipe']
    })
    createInterface(child.stdout).on('line', (line) => this.#onLine(line))
    createInterface(child.stderr).on('line', (line) => this.#options.ledger.fails(`${clientId} wrote: ${line}`))
    this.#child = child
    return child
  }

  #onLine(line: string): void {
    const { ledger, clientId } = this.#options
    const [word, first = '', second = ''] = line.split(' ')
    if (word === 'stored') {
      this.#atWork.resolve()
      ledger.stores(clientId, toQoS(first), second)
    } else if (word === 'lost') this.#lostSessions++
    else if (word === 'drained') this.#isDrained = true
    // The last line of a killed process may be half of one.
    else if (line.startsWith('failed: ')) ledger.fails(`${clientId} ${line}`)
  }
}

function toQoS(text: string): QoS {
  return text === '2' ? 2 : 1
}
