import { randomBytes } from 'node:crypto'
import {
  isSharedSubscription,
  type MessageProperties,
  MqttError,
  NO_PROPERTIES,
  ProtocolVersion,
  type QoS,
  ReasonCode,
  validateTopicFilter,
  validateTopicName
} from '@godwit/protocol'
import { MemoryStore, type Store } from '@godwit/storage'
import { type Listener, type ListenOptions, listen, type Transport } from '@godwit/transport'
import type { Access } from './access.ts'
import { type Clock, SystemClock } from './clock.ts'
import { type CloseReason, Connection } from './connection.ts'
import { Engine } from './engine.ts'
import type { BrokerEventEmitter } from './events.ts'
import type { Drop, Fate } from './fates.ts'
import { checkHistory, type HistoryRule } from './history-rules.ts'
import { type Limits, resolveLimits } from './limits.ts'
import { type Logger, silentLogger } from './logger.ts'
import { Message } from './message.ts'
import { type Behaviour, checkBehaviour, DEFAULT_BEHAVIOUR, DEFAULT_FEATURES, type Features } from './options.ts'
import type { OverflowRule } from './overflow-rules.ts'
import { isReplayFilter } from './replay-requests.ts'
import { Routed } from './router.ts'

/** How long clients may take to go when the broker closes; then their connections are cut. */
const CLOSE_TIMEOUT_MS = 2000

export interface BrokerOptions extends Partial<Behaviour>, Access {
  /** Where sessions, messages and retained messages are kept. Default: in memory, for the life of the process. */
  readonly store?: Store
  readonly limits?: Partial<Limits>
  readonly features?: Partial<Features>
  /**
   * What to do about backlogs that become too long, or too old; the first rule that applies to one counts. Default: the
   * oldest messages go past limits.queuedMessagesMax and queuedBytesMax.
   */
  readonly overflow?: readonly OverflowRule[]
  /** Of which topics messages are kept for clients that come later, and for how long. Default: none. */
  readonly history?: readonly HistoryRule[]
  /** Default: nothing is logged. */
  readonly logger?: Logger
  readonly clock?: Clock
  /** Numbers from 0 to below 1, for what need not be hard to guess. Default: Math.random. */
  readonly random?: () => number
}

/** A message that the application publishes. */
export interface PublishOptions {
  readonly topicName: string
  readonly payload: Uint8Array | string
  /** Default: 0. */
  readonly qos?: QoS
  /** Default: false. */
  readonly retain?: boolean
  readonly properties?: MessageProperties
}

/** A message as the application receives it. */
export interface ReceivedMessage {
  readonly topicName: string
  /** To be copied if it is kept. */
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly properties: MessageProperties
  /** Empty: published by the application itself. */
  readonly publisherClientId: string
}

/** What overflow rules call a listener. Default: nothing; then no rule that names listeners applies to its clients. */
export interface NamedListener {
  readonly name?: string
}

/** What accepts connections for a broker: the threads of `@godwit/transport/io-threads`, for one. */
export interface ListenOn {
  listen(options: ListenOptions, accept: (transport: Transport) => void): Promise<Listener>
}

/** A client that is connected. */
export interface ConnectedClient {
  readonly clientId: string
  readonly userName: string | undefined
}

/** What there is, at this moment. */
export interface BrokerCounts {
  /** Clients that are connected and accepted. */
  readonly clients: number
  readonly sessions: number
  readonly subscriptions: number
  readonly retainedMessages: number
  /** Messages published since the broker started. */
  readonly published: number
}

/**
 * An MQTT broker for 3.1, 3.1.1 and 5.0, ready to be given connections.
 * @throws RangeError for an option out of its bounds; whatever the store throws on opening, or on reading what is to be
 * restored, in which case it is closed again
 */
export async function createBroker(options: BrokerOptions = {}): Promise<Broker> {
  const engine = new Engine({
    store: options.store ?? new MemoryStore(),
    clock: options.clock ?? new SystemClock(),
    limits: resolveLimits(options.limits ?? {}),
    features: { ...DEFAULT_FEATURES, ...options.features },
    options: checkBehaviour({
      shareStrategy: options.shareStrategy ?? DEFAULT_BEHAVIOUR.shareStrategy,
      responseInformation: options.responseInformation,
      unauthorizedPublishMqtt3: options.unauthorizedPublishMqtt3 ?? DEFAULT_BEHAVIOUR.unauthorizedPublishMqtt3,
      refusedPublishMqtt3: options.refusedPublishMqtt3 ?? DEFAULT_BEHAVIOUR.refusedPublishMqtt3,
      sysIntervalSeconds: options.sysIntervalSeconds ?? DEFAULT_BEHAVIOUR.sysIntervalSeconds
    }),
    overflow: options.overflow ?? [],
    history: checkHistory(options.history ?? []),
    access: options,
    logger: options.logger ?? silentLogger,
    random: options.random ?? Math.random,
    newClientId: () => `godwit-${randomBytes(12).toString('base64url')}`
  })
  try {
    await engine.open()
  } catch (error) {
    engine.timers.clearAll()
    await engine.store.close().catch((unclosed: unknown) => engine.reportStoreError(unclosed))
    throw error
  }
  return new Broker(engine)
}

/** One broker. Nothing of it is global: a process may have several. */
export class Broker {
  readonly #engine: Engine
  readonly #listeners = new Set<Listener>()
  #closed: Promise<void> | undefined

  /** Use `createBroker`. */
  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** What happens in the broker, as events. */
  get events(): BrokerEventEmitter {
    return this.#engine.events
  }

  get limits(): Limits {
    return this.#engine.limits
  }

  get counts(): BrokerCounts {
    const { clients, sessions, subscriptions, store, router } = this.#engine
    return {
      clients: clients.size,
      sessions: sessions.size,
      subscriptions: subscriptions.count,
      retainedMessages: store.retainedCount,
      published: router.published
    }
  }

  /** How many messages ended in each way other than delivered, since the broker started. */
  get fates(): ReadonlyMap<Fate, number> {
    return this.#engine.fates.counts()
  }

  /**
   * The same for one client: `FATES` tells whether a fate is counted for the publisher or the subscriber. Only fates that
   * have occurred. A group is known by `$share/NAME/FILTER`. Nothing: none has, or the client is among those forgotten.
   */
  fatesOf(clientId: string): ReadonlyMap<Fate, number> {
    return this.#engine.fates.clients.of(clientId)
  }

  /** For how many clients `fatesOf` has been forgotten, because there were more than limits.fateClientsMax. */
  get fateClientsForgotten(): number {
    return this.#engine.fates.clients.forgotten
  }

  /** The latest messages that ended other than delivered, oldest first. */
  get recentDrops(): readonly Drop[] {
    return this.#engine.fates.recent()
  }

  /** What the store has failed of, or soon will: nothing is accepted meanwhile that it would have to keep; undefined: all is well. */
  get storeFailure(): Error | undefined {
    return this.#engine.store.failure
  }

  /** The clients that are connected. */
  *clients(): Generator<ConnectedClient> {
    for (const { agreement } of this.#engine.clients.values()) {
      if (agreement !== undefined) yield { clientId: agreement.identity.clientId, userName: agreement.identity.userName }
    }
  }

  /**
   * Accepts connections at an address.
   * @param on where their sockets live; default: on this thread
   * @throws ListenError if it cannot, saying where and why
   */
  async listen(options: ListenOptions & NamedListener, on: ListenOn = { listen }): Promise<Listener> {
    if (this.#engine.isClosing) throw new Error('the broker is closed')
    const { name = '' } = options
    const listener = await on.listen(options, (transport) => this.attach(transport, { listener: name }))
    this.#listeners.add(listener)
    return listener
  }

  /**
   * Takes a network connection that was accepted elsewhere, such as a WebSocket of the application's own HTTP server.
   * `listener` is the name that overflow rules may have for it.
   */
  attach(transport: Transport, { listener = '' }: { readonly listener?: string } = {}): void {
    const { connections, clients, limits, isClosing } = this.#engine
    const pending = connections.size - clients.size
    if (isClosing || pending >= limits.pendingConnectionsMax) {
      transport.destroy()
      return
    }
    const connection = new Connection(this.#engine, transport, listener)
    connections.add(connection)
    transport.start(connection)
  }

  /**
   * Publishes as the application, without the permissions that a client would need. Resolves once the message is as safe
   * as an acknowledged one.
   * @throws RangeError for a topic name that is none, and for properties that cannot be sent; MqttError 0x97 if there is no
   * room to keep it
   */
  async publish({ topicName, payload, qos = 0, retain = false, properties = NO_PROPERTIES }: PublishOptions): Promise<void> {
    const problem = validateTopicName(topicName)
    if (problem !== undefined) throw new RangeError(problem)
    // Listeners are called while a message is being delivered: what they publish comes after it.
    await Promise.resolve()
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
    const message = Message.publish({ topicName, payload: bytes, qos, retain, properties }, '', this.#engine.clock.now())
    // What cannot be encoded must be refused here: once in the log it would end every connection that it is read for.
    message.encoded(ProtocolVersion.Mqtt5, qos > 0)
    const { router, fates } = this.#engine
    const refusal = router.refusalOf(message)
    if (refusal !== undefined) {
      fates.record(refusal.fate, message, '', refusal.reason)
      throw new MqttError(refusal.reasonCode, refusal.reason)
    }
    if (router.publish(message) === Routed.Stored) await this.#engine.committed()
  }

  /**
   * Calls a listener for each message whose topic matches; at QoS 0, and without retained messages. What `$SYS/` topics have
   * at the moment comes first.
   * @returns what ends it
   * @throws RangeError for a topic filter that is none, or that of a Shared Subscription
   */
  subscribe(topicFilter: string, listener: (message: ReceivedMessage) => void): () => void {
    const problem = validateTopicFilter(topicFilter)
    if (problem !== undefined) throw new RangeError(problem)
    if (isSharedSubscription(topicFilter)) throw new RangeError('a Shared Subscription is for clients')
    if (isReplayFilter(topicFilter)) throw new RangeError('history is for clients')
    return this.#engine.subscriptions.addLocal(topicFilter, listener)
  }

  /** Ends a client's connection; 5.0 clients are told why. False: it is not connected. */
  disconnect(clientId: string, reason: Partial<CloseReason> = {}): boolean {
    const connection = this.#engine.clients.get(clientId)
    if (connection === undefined) return false
    connection.close({
      reasonCode: ReasonCode.AdministrativeAction,
      reason: 'disconnected by the administrator',
      ...reason
    })
    return true
  }

  /**
   * Shuts down: no new clients, 5.0 clients are told (0x8B), wills that are due are published, everything accepted so
   * far is committed, and the store is let go. Calling it again waits for the same end.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const engine = this.#engine
    engine.isClosing = true
    await Promise.all([...this.#listeners].map((listener) => listener.close()))
    await engine.settled()
    for (const connection of [...engine.connections]) {
      connection.close({ reasonCode: ReasonCode.ServerShuttingDown, reason: 'the server is shutting down' })
    }
    await this.#connectionsClosed()
    engine.timers.clearAll()
    engine.overflow.end()
    await engine.store.close()
  }

  /** Waits for the clients to go, but not for long. */
  async #connectionsClosed(): Promise<void> {
    const { connections, clock } = this.#engine
    if (connections.size === 0) return
    await new Promise<void>((resolve) => {
      const cancel = clock.at(clock.now() + CLOSE_TIMEOUT_MS, () => {
        for (const connection of connections) connection.cut()
        resolve()
      })
      this.#engine.onAllClosed = () => {
        cancel()
        resolve()
      }
    })
  }
}
