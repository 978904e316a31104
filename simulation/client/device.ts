import { type Client, ClientError, openClient, type ProtocolVersion, type TransportTarget } from '@godwit/client'
import { type SimBroker, SimProcess, type Simulation } from '@godwit/testkit'
import type { MemoryTransport, Transport } from '@godwit/transport'
import type { Choices } from '../choices.ts'
import { Violation } from '../violation.ts'
import type { ClientLedger, Quality } from './client-ledger.ts'
import type { SimOutboxDisk } from './sim-outbox.ts'

export interface DeviceOptions {
  readonly name: string
  readonly protocolVersion: ProtocolVersion
  readonly disk: SimOutboxDisk
  readonly simulation: Simulation
  readonly broker: SimBroker
  readonly ledger: ClientLedger
  readonly choose: Choices
  readonly inflightMaximum: number
  /** The filter that it takes messages of; undefined: it only publishes. */
  readonly filter: string | undefined
  /** Told of what went wrong: thrown, it would end in the client, which takes it for the application's. */
  readonly fails: (violation: Violation) => void
}

/** A program with our client in it, that dies and is started again on its disk. */
export class Device {
  readonly name: string
  readonly disk: SimOutboxDisk
  /** It acknowledges every message at once. */
  isPrompt = false
  readonly #options: DeviceOptions
  #process: SimProcess | undefined = undefined
  #client: Client | undefined = undefined
  #ends: MemoryTransport[] = []
  /** Messages that it has taken and not acknowledged yet. */
  #taken: (() => void)[] = []
  /** Messages of QoS 2, in the order in which they came in this life, which is that in which they are answered. */
  #arrived: string[] = []

  constructor(options: DeviceOptions) {
    this.name = options.name
    this.disk = options.disk
    this.#options = options
  }

  get isRunning(): boolean {
    return this.#process !== undefined
  }

  /** Messages that the server has not acknowledged. */
  get undelivered(): number {
    return this.#client?.outbox.messages ?? 0
  }

  get isConnected(): boolean {
    return this.#client?.state === 'connected'
  }

  /** Starts the program; it is up once the world has moved on. */
  starts(): void {
    if (this.isRunning) return
    const { name, protocolVersion, disk, simulation, choose, inflightMaximum } = this.#options
    const life = new SimProcess()
    this.#process = life
    const opening = openClient('mqtt://broker', {
      clientId: name,
      protocolVersion,
      outbox: disk.outbox(),
      sessionExpirySeconds: 1_000_000,
      keepAliveSeconds: 60,
      inflightMaximum,
      receiveMaximum: inflightMaximum,
      reconnect: { minimumDelayMs: 100, maximumDelayMs: 1_000 },
      clock: life.clock(simulation.clock),
      random: choose.random,
      transport: (target) => this.#connect(life, target)
    })
    void opening.then((client) => {
      if (this.#process === life) this.#isUp(client)
    })
  }

  publishes(topic: string, qos: Quality): void {
    const { ledger, name } = this.#options
    const life = this.#process
    const client = this.#client
    if (client === undefined) return
    const payload = ledger.publishes(name, topic, qos)
    const owes = (): void => {
      if (this.#process === life) ledger.owes(payload)
    }
    const delivery = client.publish(topic, payload, { qos })
    delivery.stored.then(owes, (error: unknown) => this.#fails(life, error))
    delivery.then(owes, (error: unknown) => this.#fails(life, error))
  }

  /** The application has dealt with some of what it took. */
  acknowledges(count: number): void {
    for (const acknowledge of this.#taken.splice(0, count)) acknowledge()
  }

  /** Its connection breaks; the server may not be told. */
  isCut(isServerTold: boolean): void {
    const ends = this.#ends
    this.#ends = []
    for (const end of isServerTold ? ends : ends.slice(0, 1)) end.cut()
  }

  crashes(): void {
    if (!this.isRunning) return
    this.#process?.dies()
    this.disk.crashes()
    this.#options.ledger.dies(this.name, this.#arrived.slice(0, this.disk.receptions))
    this.#forget()
  }

  /** Ends in order. */
  async closes(settles: () => Promise<void>): Promise<void> {
    const closing = this.#client?.close({ drainMs: 0 })
    await settles()
    await closing
    this.#forget()
  }

  #isUp(client: Client): void {
    const { filter, name, ledger, choose, fails } = this.#options
    this.#client = client
    client.on('discarded', ({ error }) => {
      fails(new Violation(`${name} gave up a message: ${error.message}`))
    })
    if (filter === undefined) return
    client.subscribe(filter, { qos: 2, acknowledge: 'manual' }, (message) => {
      const violation = ledger.arrives(name, message.text())
      if (violation !== undefined) fails(violation)
      if (message.qos === 2) this.#arrived.push(message.text())
      if (this.isPrompt || choose.chance(0.5)) message.ack()
      else this.#taken.push(() => message.ack())
    })
  }

  #connect(life: SimProcess, { signal }: TransportTarget): Promise<Transport> {
    const { broker, simulation } = this.#options
    signal.throwIfAborted()
    if (!broker.isRunning) return Promise.reject(new Error('connection refused'))
    const [server, client] = simulation.network.connect()
    this.#ends = [client, server]
    broker.attach(server)
    return Promise.resolve(life.transport(client))
  }

  #fails(life: SimProcess | undefined, error: unknown): void {
    if (this.#process !== life || (error instanceof ClientError && error.code === 'client-closed')) return
    this.#options.fails(new Violation(`${this.name} could not deliver: ${String(error)}`))
  }

  #forget(): void {
    this.#process = undefined
    this.#client = undefined
    this.#ends = []
    this.#taken = []
    this.#arrived = []
  }
}
