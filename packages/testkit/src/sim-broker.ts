import { type Broker, type BrokerOptions, type Clock, createBroker, type LogFields, type Logger } from '@godwit/broker'
import type { MemoryTransport, Transport, TransportReceiver } from '@godwit/transport'
import { seededRandom } from './random.ts'
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
  #process = new Process()

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
    const process = new Process()
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

/** What ties a broker to the world around it, and is cut when its process dies. */
class Process {
  #isAlive = true
  readonly #transports = new Set<Transport>()

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      at: (timeMs, callback) => clock.at(timeMs, () => this.#isAlive && callback()),
      defer: (callback) => clock.defer(() => this.#isAlive && callback())
    }
  }

  transport(transport: Transport): Transport {
    this.#transports.add(transport)
    return new ProcessTransport(transport, () => this.#isAlive)
  }

  dies(): void {
    this.#isAlive = false
    for (const transport of this.#transports) transport.destroy()
  }
}

/** The broker's end of a connection, deaf once its process has died. */
class ProcessTransport implements Transport {
  readonly #transport: Transport
  readonly #isAlive: () => boolean

  constructor(transport: Transport, isAlive: () => boolean) {
    this.#transport = transport
    this.#isAlive = isAlive
  }

  get kind(): Transport['kind'] {
    return this.#transport.kind
  }

  get peer(): Transport['peer'] {
    return this.#transport.peer
  }

  get bufferedBytes(): number {
    return this.#transport.bufferedBytes
  }

  start(receiver: TransportReceiver): void {
    this.#transport.start({
      onData: (chunk) => this.#isAlive() && receiver.onData(chunk),
      onDrain: () => this.#isAlive() && receiver.onDrain(),
      onClose: (error) => this.#isAlive() && receiver.onClose(error)
    })
  }

  write(bytes: Uint8Array): boolean {
    return this.#transport.write(bytes)
  }

  cork(): void {
    this.#transport.cork()
  }

  uncork(): void {
    this.#transport.uncork()
  }

  pause(): void {
    this.#transport.pause()
  }

  resume(): void {
    this.#transport.resume()
  }

  end(): void {
    this.#transport.end()
  }

  destroy(): void {
    this.#transport.destroy()
  }
}
