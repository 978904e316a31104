import {
  encodePacket,
  NO_PROPERTIES,
  type Packet,
  PacketDecoder,
  PacketType,
  ProtocolVersion,
  type PublishPacket,
  type QoS,
  type SubscriptionRequest,
  type WillProperties
} from '@godwit/protocol'
import { type LogEntry, MemoryStore, type QueuePosition, type StoreContents, type StoreListener } from '@godwit/storage'
import { type MemoryTransport, memoryTransportPair, type TransportReceiver } from '@godwit/transport'
import type { Access } from './access.ts'
import { Connection } from './connection.ts'
import { Engine } from './engine.ts'
import { type LateAnswers, lateStore } from './late-store.test.support.ts'
import type { HistoryRule } from './history-rules.ts'
import { type Limits, resolveLimits } from './limits.ts'
import { silentLogger } from './logger.ts'
import { ManualClock } from './manual-clock.test.support.ts'
import { type Behaviour, DEFAULT_BEHAVIOUR, DEFAULT_FEATURES, type Features } from './options.ts'
import type { OverflowRule } from './overflow-rules.ts'
import { message, request, type SampleMessage, seededRandom } from './samples.test.support.ts'
import type { Session } from './session.ts'

export interface WorldOptions {
  readonly limits?: Partial<Limits>
  readonly features?: Partial<Features>
  readonly options?: Partial<Behaviour>
  readonly overflow?: readonly OverflowRule[]
  readonly history?: readonly HistoryRule[]
  readonly access?: Access
  /** The store answers in a later turn, `true`: as it was asked; default: at once. */
  readonly readsLate?: boolean | LateAnswers
}

export interface ConnectsWith {
  readonly clientId: string
  readonly listener?: string
  readonly protocolVersion?: ProtocolVersion
  readonly cleanStart?: boolean
  readonly sessionExpiryInterval?: number
  readonly receiveMaximum?: number
  readonly maximumPacketSize?: number
  readonly will?: {
    readonly topicName: string
    readonly payload?: string
    readonly qos?: QoS
    readonly properties?: WillProperties
  }
}

/** A store whose broker can be killed: it is then told of nothing any more; and whose commits can fail. */
class KillableStore extends MemoryStore {
  #isKilled = false
  /** While this is set, the broker is told that commits have failed. */
  isFull = false
  #failure: Error | undefined = undefined

  /** While this is set, reading the log fails. */
  isUnreadable = false

  override read(positions: readonly QueuePosition[], limit: number): readonly LogEntry[] {
    if (this.isUnreadable) throw new Error('input/output error')
    return super.read(positions, limit)
  }

  override get failure(): Error | undefined {
    return this.isFull ? this.#failure : undefined
  }

  override async open(listener: StoreListener): Promise<StoreContents> {
    this.#isKilled = false
    return super.open({
      onCommitted: (commit) => {
        if (this.#isKilled) return
        this.#failure = this.isFull ? new Error('no space left') : undefined
        if (this.#failure === undefined) listener.onCommitted(commit)
        else listener.onCommitFailed(commit, this.#failure)
      },
      onCommitFailed: (commit, error) => {
        if (!this.#isKilled) listener.onCommitFailed(commit, error)
      }
    })
  }

  /** The last commit reaches the disk, though nobody hears of it. */
  async kill(): Promise<void> {
    this.#isKilled = true
    await super.close()
  }
}

/** An engine with its clock, its store's commits and its network in the hands of a test. */
export class World {
  readonly clock: ManualClock = new ManualClock()
  readonly store: KillableStore
  #options: WorldOptions
  readonly #random: () => number
  #engine: Engine
  #tasks: (() => void)[] = []
  #commits: (() => void)[] = []
  /** What the store has been asked, if it answers later. */
  #answers: (() => void)[] = []
  /** While this is set, it does not. */
  holdsAnswers = false
  /** While this is set, no commit is made. */
  holdsCommits = false

  private constructor(options: WorldOptions) {
    this.#options = options
    this.#random = seededRandom(1)
    this.store = new KillableStore({ schedule: (commit) => void this.#commits.push(commit) })
    this.#engine = this.#makeEngine()
  }

  static async open(options: WorldOptions = {}): Promise<World> {
    const world = new World(options)
    await world.#openEngine()
    return world
  }

  get engine(): Engine {
    return this.#engine
  }

  /** Makes the commits that have been gathered. */
  commit(): void {
    const commits = this.#commits
    this.#commits = []
    for (const commit of commits) commit()
  }

  /** One turn of the event loop: what the network brings, then what was deferred. False: there was nothing. */
  async turn(): Promise<boolean> {
    const tasks = this.#tasks
    this.#tasks = []
    if (!this.holdsAnswers) tasks.push(...this.#answers.splice(0))
    for (const task of tasks) task()
    const deferred = this.clock.endTurn()
    await microtasks()
    return tasks.length > 0 || deferred
  }

  /** Lets everything happen that does not wait for time to pass. */
  async settle(): Promise<void> {
    for (let idle = 0; idle < 2;) {
      if (!this.holdsCommits) this.commit()
      idle = (await this.turn()) || (this.#commits.length > 0 && !this.holdsCommits) ? 0 : idle + 1
    }
  }

  /** The process is killed and another opens the same store: connections are lost, what was gathered is there. */
  async restart(changed: Partial<WorldOptions> = {}): Promise<void> {
    this.#options = { ...this.#options, ...changed }
    await this.store.kill()
    this.#engine.timers.clearAll()
    this.clock.forgetTurn()
    this.#commits = []
    this.#tasks = []
    this.#answers = []
    this.#engine = this.#makeEngine()
    await this.#openEngine()
  }

  /** A client's end of a new network connection. */
  client(listener = ''): Client {
    const [ours, theirs] = memoryTransportPair({ schedule: (task) => void this.#tasks.push(task) })
    const connection = new Connection(this.#engine, theirs, listener)
    this.#engine.connections.add(connection)
    theirs.start(connection)
    return new Client(this, ours)
  }

  /** A client that has its CONNACK. */
  async connects(given: ConnectsWith): Promise<Client> {
    const client = this.client(given.listener)
    await client.connects(given)
    return client
  }

  session(clientId: string): Session {
    const session = this.#engine.sessions.get(clientId)
    if (session === undefined) throw new Error(`there is no session ${clientId}`)
    return session
  }

  /** Publishes as the application does. */
  publish(topicName: string, given: SampleMessage = {}): void {
    this.#engine.router.publish(message(topicName, { publisherClientId: '', nowMs: this.clock.now(), ...given }))
  }

  async #openEngine(): Promise<void> {
    const opened = this.#engine.open().then(() => true)
    while (!(await Promise.race([opened, this.turn().then(() => false)])));
  }

  #makeEngine(): Engine {
    const { limits = {}, features, options, overflow = [], history = [], access = {}, readsLate = false } = this.#options
    const answers = readsLate === true ? 'as asked' : readsLate
    let assigned = 0
    return new Engine({
      store: answers === false ? this.store : lateStore(this.store, (answer) => void this.#answers.push(answer), answers),
      clock: this.clock,
      limits: resolveLimits(limits),
      features: { ...DEFAULT_FEATURES, ...features },
      options: { ...DEFAULT_BEHAVIOUR, ...options },
      overflow,
      history,
      access,
      logger: silentLogger,
      random: this.#random,
      newClientId: () => `assigned-${++assigned}`
    })
  }
}

/** The far end of a network connection, which keeps every packet it gets. */
export class Client implements TransportReceiver {
  readonly #world: { settle(): Promise<void> }
  readonly #transport: MemoryTransport
  #decoder = new PacketDecoder({ receiver: 'client', maximumPacketSize: 268_435_460, protocolVersion: ProtocolVersion.Mqtt5 })
  #protocolVersion: ProtocolVersion = ProtocolVersion.Mqtt5
  #packets: Packet[] = []
  #nextIdentifier = 1
  isClosed = false

  /** @param world lets everything happen that does not wait for time to pass */
  constructor(world: { settle(): Promise<void> }, transport: MemoryTransport) {
    this.#world = world
    this.#transport = transport
    transport.start(this)
  }

  onData(chunk: Uint8Array): void {
    this.#decoder.push(new Uint8Array(chunk))
    for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) this.#packets.push(packet)
  }

  onDrain(): void {}

  onClose(): void {
    this.isClosed = true
  }

  send(packet: Packet): void {
    this.#transport.write(encodePacket(packet, this.#protocolVersion))
  }

  /** Bytes that need not be a packet. */
  sendsBytes(bytes: Uint8Array): void {
    this.#transport.write(bytes)
  }

  /** Reads nothing any more: what comes waits with the broker. */
  pausesReading(): void {
    this.#transport.pause()
  }

  readsAgain(): void {
    this.#transport.resume()
  }

  async connects(given: ConnectsWith): Promise<void> {
    const { clientId, cleanStart = false, sessionExpiryInterval, receiveMaximum, maximumPacketSize, will } = given
    this.#protocolVersion = given.protocolVersion ?? ProtocolVersion.Mqtt5
    this.#decoder = new PacketDecoder({
      receiver: 'client',
      maximumPacketSize: 268_435_460,
      protocolVersion: this.#protocolVersion
    })
    this.send({
      type: PacketType.Connect,
      protocolVersion: this.#protocolVersion,
      cleanStart,
      keepAliveSeconds: 0,
      clientId,
      will:
        will === undefined
          ? undefined
          : {
              topicName: will.topicName,
              payload: Buffer.from(will.payload ?? ''),
              qos: will.qos ?? 0,
              retain: false,
              properties: will.properties ?? {}
            },
      userName: undefined,
      password: undefined,
      properties: { sessionExpiryInterval, receiveMaximum, maximumPacketSize }
    })
    await this.#world.settle()
  }

  async subscribes(
    topicFilter: string,
    given: Partial<SubscriptionRequest> & { readonly subscriptionIdentifier?: number; readonly replay?: string } = {}
  ): Promise<void> {
    const { subscriptionIdentifier, replay, ...options } = given
    this.send({
      type: PacketType.Subscribe,
      packetIdentifier: this.#nextIdentifier++,
      subscriptions: [request(topicFilter, options)],
      properties: { subscriptionIdentifier, userProperties: replay === undefined ? undefined : [['godwit-replay', replay]] }
    })
    await this.#world.settle()
  }

  async unsubscribes(topicFilter: string): Promise<void> {
    this.send({
      type: PacketType.Unsubscribe,
      packetIdentifier: this.#nextIdentifier++,
      topicFilters: [topicFilter],
      properties: NO_PROPERTIES
    })
    await this.#world.settle()
  }

  publishes(topicName: string, payload = '', qos: QoS = 1, retain = false): void {
    this.send({
      type: PacketType.Publish,
      topicName,
      payload: Buffer.from(payload),
      qos,
      retain,
      dup: false,
      packetIdentifier: qos === 0 ? 0 : this.#nextIdentifier++,
      properties: NO_PROPERTIES
    })
  }

  acknowledges({ packetIdentifier }: Pick<PublishPacket, 'packetIdentifier'>): void {
    this.send({ type: PacketType.Puback, packetIdentifier, reasonCode: 0, properties: NO_PROPERTIES })
  }

  /** The network connection breaks, and both ends notice. */
  async drops(): Promise<void> {
    this.#transport.destroy()
    await this.#world.settle()
  }

  /** What has come since the last time it was asked. */
  takes(): Packet[] {
    const packets = this.#packets
    this.#packets = []
    return packets
  }

  /** The PUBLISH packets that have come since the last time it was asked. */
  takesPublishes(): PublishPacket[] {
    return this.takes().filter((packet): packet is PublishPacket => packet.type === PacketType.Publish)
  }

  /** The payloads of the PUBLISH packets that have come since the last time it was asked. */
  takesPayloads(): string[] {
    return this.takesPublishes().map(({ payload }) => Buffer.from(payload).toString())
  }

  /** Acknowledges everything until nothing comes any more; returns the payloads in the order received. */
  async drains(): Promise<string[]> {
    const payloads: string[] = []
    for (;;) {
      await this.#world.settle()
      const publishes = this.takesPublishes()
      if (publishes.length === 0) return payloads
      for (const publish of publishes) {
        payloads.push(Buffer.from(publish.payload).toString())
        if (publish.qos === 1) this.acknowledges(publish)
      }
    }
  }
}

/** Promises that are kept already have their say. */
async function microtasks(): Promise<void> {
  for (let count = 0; count < 12; count++) await Promise.resolve()
}
