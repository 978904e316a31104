import { type Broker, type BrokerOptions, createBroker, type LogFields, type Logger } from '@godwit/broker'
import type { MemoryTransport } from '@godwit/transport'
import { seededRandom } from './random.ts'
import { SimProcess } from './sim-process.ts'
import type { Simulation } from './simulation.ts'

/** What a broker in a simulation may be given; the rest is the simulation's. */
export type SimBrokerOptions = Omit<BrokerOptions, 'store' | 'clock' | 'logger'>

/** As long as a broker waits for its clients to go when it closes. */
const CLOSE_MS = 2000

/** A broker on simulated time, network and store, that can be stopped, can crash, and can be started again on its store. */
export class SimBroker {
  /** Errors that the broker has logged. Whoever expects one takes it out; a scenario fails with those left. */
  readonly loggedErrors: string[] = []
  readonly #simulation: Simulation
  readonly #goesDown: () => void
  #options: SimBrokerOptions
  #broker: Broker | undefined
  #process = new SimProcess()

  /** @param goesDown called before the broker stops or crashes */
  constructor(simulation: Simulation, options: SimBrokerOptions, goesDown: () => void = () => {}) {
    this.#simulation = simulation
    this.#goesDown = goesDown
    this.#options = options
  }

  /** The broker itself, as an application that embeds it would hold it. */
  get running(): Broker {
    if (this.#broker === undefined) throw new Error('the broker is not running')
    return this.#broker
  }

  async starts(): Promise<void> {
    const { store, clock } = this.#simulation
    const process = new SimProcess()
    this.#process = process
    const created = createBroker({
      random: seededRandom(1),
      ...this.#options,
      store,
      clock: process.clock(clock),
      logger: this.#logger()
    })
    await this.#simulation.settles()
    this.#broker = await created
  }

  get isRunning(): boolean {
    return this.#broker !== undefined
  }

  /** Gives the broker the server's end of a network connection. */
  attach(transport: MemoryTransport): void {
    this.running.attach(this.#process.transport(this.#simulation.network.accepted(transport)))
  }

  /** Shuts down in order. Clients that do not read are waited for. */
  async stops(): Promise<void> {
    this.#goesDown()
    this.#simulation.store.releasesCommits()
    let isClosed = false
    const closing = this.running.close().then(() => {
      isClosed = true
    })
    this.#broker = undefined
    await this.#simulation.settles()
    if (!isClosed) await this.#simulation.advances(CLOSE_MS)
    await closing
  }

  /**
   * The process dies: nothing of it runs any more, and no client is told anything but by its connection breaking. What of
   * its changes outlives it is the store's to say.
   */
  async crashes(): Promise<void> {
    this.#goesDown()
    this.#broker = undefined
    this.#process.dies()
    await this.#simulation.store.crashes()
    await this.#simulation.settles()
  }

  /** Stops, if it runs, and starts on the same store; with other options, if given, in place of all former ones. */
  async restarts(options: SimBrokerOptions = this.#options): Promise<void> {
    if (this.isRunning) await this.stops()
    this.#options = options
    await this.starts()
  }

  #logger(): Logger {
    const error = (fields: LogFields, message: string) => {
      this.loggedErrors.push(`${message}: ${String(fields['err'])}`)
    }
    return { debug() {}, info() {}, warn() {}, error }
  }
}
