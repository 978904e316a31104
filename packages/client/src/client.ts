import { type ConnectPacket, MqttError, type Packet, PacketType, ProtocolVersion, ReasonCode } from '@godwit/protocol'
import type { Transport } from '@godwit/transport/browser'
import { Backpressure } from './backpressure.ts'
import { abortedError, ClientError, closedError, throwIfAborted } from './client-error.ts'
import { connectPacketOf, isCleanSession, sessionExpiryOf, type SessionWish } from './connect-packet.ts'
import type { Connection } from './connection.ts'
import { Connector } from './connector.ts'
import type { Delivery } from './delivery.ts'
import { Emitter } from './emitter.ts'
import type { ClientEventListener, ClientEventName, ClientState, ConnectedEvent } from './events.ts'
import { type Accepted, disconnectError } from './handshake.ts'
import { Incoming } from './incoming.ts'
import { DRAIN_MS, PUBLISH_IDENTIFIERS } from './limits.ts'
import { Link } from './link.ts'
import type { Message } from './message.ts'
import { MessageRoutes } from './message-routes.ts'
import type { CloseOptions, CloseResult, MessageHandler, RequestOptions, SubscribeOptions, TransportTarget } from './options.ts'
import { Outbox } from './outbox.ts'
import type { OutboxContents, SequenceNumber } from './outbox-store.ts'
import { Outgoing } from './outgoing.ts'
import type { Payload } from './payload.ts'
import type { PublishOptions } from './publish-options.ts'
import { Publisher } from './publisher.ts'
import { Reauthentication } from './reauthentication.ts'
import { Requests } from './requests.ts'
import { serverLimitsOf } from './server-limits.ts'
import { integer, type Settings } from './settings.ts'
import type { Subscription } from './subscription.ts'
import { Subscriptions } from './subscriptions.ts'

/** What waits to be delivered. */
export interface OutboxFigures {
  /** Accepted, and not finished. */
  readonly messages: number
  /** The sum of `outboxBytes` of them. */
  readonly bytes: number
  /** Sent, and not acknowledged. */
  readonly inflight: number
}

/** What a client is made of; `connect` and `openClient` make one. */
export interface ClientParts {
  readonly settings: Settings
  readonly openTransport: (target: TransportTarget) => Promise<Transport>
  readonly randomToken: (characters: number) => string
  /** Every server was tried once, and there was no connection yet. */
  readonly onRoundFailed: (error: ClientError) => void
}

/**
 * An MQTT client: it keeps itself connected, and what it has accepted on its way. Made by `connect` and `openClient`, ended by `close` or
 * `await using`.
 */
export class Client implements AsyncDisposable {
  readonly #settings: Settings
  readonly #randomToken: (characters: number) => string
  readonly #emitter = new Emitter()
  readonly #outbox: Outbox
  readonly #outgoing: Outgoing
  readonly #publisher: Publisher
  readonly #subscriptions: Subscriptions
  readonly #routes: MessageRoutes
  readonly #incoming: Incoming
  readonly #requests: Requests
  readonly #reauthentication: Reauthentication
  readonly #backpressure: Backpressure
  readonly #connector: Connector
  readonly #stopping = new AbortController()
  readonly #firstConnection: PromiseWithResolvers<void> = Promise.withResolvers()
  #state: ClientState = 'connecting'
  #clientId = ''
  readonly #session: SessionWish
  #connected: ConnectedEvent | undefined = undefined
  #link: Link | undefined = undefined
  #running: Promise<void> = Promise.resolve()
  #closing: Promise<CloseResult> | undefined = undefined

  private constructor({ settings, openTransport, randomToken, onRoundFailed }: ClientParts) {
    const { clock, options } = settings
    this.#settings = settings
    this.#randomToken = randomToken
    this.#outbox = new Outbox(options.outbox, clock, {
      onStored: (through) => this.#outgoing.stored(through),
      onFailed: (error) => this.#emitter.emit('outboxFailed', { error }),
      onRecovered: () => this.#emitter.emit('outboxRecovered', {})
    })
    this.#backpressure = new Backpressure(clock, () => {
      const { inflight } = this.#outgoing
      if (inflight > 0 || this.#subscriptions.isAnswerAwaited || this.#requests.isAwaited) return true
      return this.#reauthentication.isAwaited
    })
    const onAwaited = (): void => this.#backpressure.onAwaited()
    this.#reauthentication = new Reauthentication(options.authentication, onAwaited)
    this.#session = { isNew: true, isFirst: true, isDurable: this.#outbox.isDurable }
    this.#outgoing = new Outgoing({
      outbox: this.#outbox,
      clock,
      emitter: this.#emitter,
      inflightMaximum: settings.inflightMaximum,
      onAwaited,
      onRoom: () => this.#publisher.admitWaiting()
    })
    this.#publisher = new Publisher(this.#outgoing, this.#emitter, settings)
    this.#subscriptions = new Subscriptions(
      this.#emitter,
      this.#backpressure,
      (made, local) => this.#routes.claim(made, local),
      () => this.#routes.changed()
    )
    const { unclaimedHoldMs, receiveMaximum, topicAliasMaximum } = settings
    this.#routes = new MessageRoutes({ subscriptions: this.#subscriptions, clock, emitter: this.#emitter, unclaimedHoldMs })
    this.#incoming = new Incoming({
      outbox: this.#outbox,
      clock,
      router: this.#routes,
      receiveMaximum,
      topicAliasMaximum,
      publish: (topicName, payload, options) => this.publish(topicName, payload, options)
    })
    this.#requests = new Requests({
      clock,
      onAwaited,
      responseTopic: () => this.#responseTopic(),
      publish: (topicName, payload, options) => this.publish(topicName, payload, options),
      subscribe: (filter, options, handler) => this.subscribe(filter, options, handler)
    })
    this.#connector = new Connector({
      settings,
      emitter: this.#emitter,
      openTransport,
      signal: this.#stopping.signal,
      owner: {
        connectPacket: (version, data) => this.#connectPacket(version, data),
        accepted: (accepted, connect, url) => this.#accepted(accepted, connect, url),
        onState: (state) => this.#become(state),
        onRoundFailed
      }
    })
    this.#firstConnection.promise.catch(() => undefined)
  }

  /**
   * Opens the outbox of a client and begins to connect it.
   *
   * @throws {ClientError} `outbox-failed`, or `invalid-argument` if the outbox is another client's
   */
  static async open(parts: ClientParts): Promise<Client> {
    const { signal } = parts.settings.options
    throwIfAborted(signal)
    const client = new Client(parts)
    const contents = await client.#outbox.open()
    try {
      await client.#restore(contents)
      throwIfAborted(signal)
    } catch (error) {
      await client.#outbox.close()
      throw error
    }
    const onAbort = (): void => void client.close({ drainMs: 0 })
    signal?.addEventListener('abort', onAbort, { once: true, signal: client.#stopping.signal })
    client.#running = client.#run()
    return client
  }

  get state(): ClientState {
    return this.#state
  }

  /** Empty only before the first connection of a client that asked the server for one. */
  get clientId(): string {
    return this.#clientId
  }

  /** The present connection; undefined while there is none. */
  get connection(): ConnectedEvent | undefined {
    return this.#connected
  }

  get outbox(): OutboxFigures {
    return { messages: this.#publisher.messages, bytes: this.#outgoing.bytes, inflight: this.#outgoing.inflight }
  }

  /** Resolves with the first connection; rejects if the client is closed before. */
  get ready(): Promise<void> {
    return this.#firstConnection.promise
  }

  /**
   * Accepts a message, to be delivered as soon as there is a connection. Never throws: what is wrong rejects the delivery, and is told by the
   * event `discarded`. Messages reach the server in the order of these calls, but that QoS 0 may overtake what waits on disk.
   */
  publish(topic: string, payload: Payload, options?: PublishOptions): Delivery {
    return this.#publisher.publish(topic, payload, options)
  }

  /**
   * Asks for the messages of a Topic Filter, `$share/{ShareName}/{filter}` included, for a loop (`for await`) or a handler. Holds until
   * `unsubscribe`, over all reconnections; several may share a filter or overlap, and each gets what is its own.
   *
   * @throws {ClientError} `invalid-argument` for what is not a Topic Filter, `client-closed`
   */
  subscribe(filter: string, options: SubscribeOptions = {}, handler?: MessageHandler): Subscription {
    this.#checkOpen()
    return this.#subscriptions.subscribe(filter, options, handler)
  }

  /**
   * Publishes with a Response Topic and waits for the reply (5.0).
   *
   * @throws {ClientError} `timeout`, `no-responders`, `not-supported` on 3.1 and 3.1.1, and all that `publish` and `subscribe` may
   */
  async request(topic: string, payload: Payload, options: RequestOptions = {}): Promise<Message> {
    this.#checkOpen()
    const version = this.#connected?.protocolVersion ?? this.#settings.versions[0]
    if (version !== ProtocolVersion.Mqtt5) throw new ClientError('not-supported', 'Requests need MQTT 5.0')
    return await this.#requests.request(topic, payload, options)
  }

  /**
   * Resolves once everything that was accepted so far is acknowledged or given up.
   *
   * @throws {ClientError} `aborted`, `client-closed`
   */
  async drained(signal?: AbortSignal): Promise<void> {
    this.#checkOpen()
    const { promise, resolve, reject }: PromiseWithResolvers<void> = Promise.withResolvers()
    const onAbort = (): void => reject(abortedError(signal))
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted === true) onAbort()
    this.#outgoing.whenFinished((error) => (error === undefined ? resolve() : reject(error)))
    try {
      await promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /**
   * Authenticates anew, with the method of the connection ([5.0 4.12.1]).
   *
   * @throws {ClientError} `authentication-failed`, `connection-lost`, or `invalid-argument` without `authentication`
   */
  async reauthenticate(): Promise<void> {
    await this.#reauthentication.begin(this.#link?.connection)
  }

  /** Calls back at each event of this name; returns what ends that. */
  on<Name extends ClientEventName>(
    name: Name,
    listener: ClientEventListener<Name>,
    options: { readonly signal?: AbortSignal | undefined } = {}
  ): () => void {
    return this.#emitter.on(name, listener, options.signal)
  }

  /**
   * Disconnects, for good. While connected it first waits for the acknowledgement of what was published; loops over messages end, and
   * messages that they have not seen are the server's again. Afterwards there is no timer, no socket and no listener left.
   *
   * @throws {ClientError} `invalid-argument`
   */
  async close(options: CloseOptions = {}): Promise<CloseResult> {
    const { drainMs, sessionExpirySeconds } = options
    if (drainMs !== undefined) integer('drainMs', drainMs, 0, 0x7fff_ffff)
    if (sessionExpirySeconds !== undefined) integer('sessionExpirySeconds', sessionExpirySeconds, 0, 0xffff_ffff)
    this.#closing ??= this.#close(options)
    return await this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /**
   * The server may hold QoS 2 messages of a session that is to be continued, and of which nothing is known here: a message of ours under the
   * identifier of one of them would pass for its repetition, and be swallowed. So we begin anywhere.
   */
  #firstSequence({ clientId, nextSequence }: OutboxContents): SequenceNumber {
    const { random, options } = this.#settings
    const isUnknown = clientId === undefined && nextSequence === 1 && options.cleanStart === false
    return isUnknown ? 1 + Math.floor(random() * PUBLISH_IDENTIFIERS) : nextSequence
  }

  async #restore(contents: OutboxContents): Promise<void> {
    const { clientId } = this.#settings.options
    if (contents.clientId !== undefined && clientId !== undefined && clientId !== contents.clientId) {
      const owner = JSON.stringify(contents.clientId)
      throw new ClientError('invalid-argument', `The outbox belongs to client ${owner}, not to ${JSON.stringify(clientId)}`)
    }
    this.#session.isNew = contents.clientId === undefined
    this.#clientId = contents.clientId ?? clientId ?? `godwit${this.#randomToken(16)}`
    // Whoever keeps messages needs a name that stays.
    if (this.#outbox.isDurable && this.#clientId === '') this.#clientId = `godwit${this.#randomToken(16)}`
    await this.#outgoing.restore({ ...contents, nextSequence: this.#firstSequence(contents) })
    this.#incoming.restore(contents.receivedIdentifiers)
    if (contents.clientId === undefined && this.#outbox.isDurable) await this.#outbox.claim(this.#clientId)
  }

  async #run(): Promise<void> {
    let error: ClientError | undefined
    try {
      error = await this.#connector.run()
    } catch (cause) {
      // What the application has given us to call has thrown.
      const what = cause instanceof Error ? cause.message : String(cause)
      error = new ClientError('invalid-argument', `The client cannot go on: ${what}`, { cause })
    }
    if (error !== undefined) this.#closing ??= this.#end(error)
  }

  #connectPacket(version: ProtocolVersion, authenticationData: Uint8Array | undefined): ConnectPacket {
    return connectPacketOf(this.#settings, version, this.#clientId, this.#session, authenticationData)
  }

  #accepted({ connection, connack }: Accepted, connect: ConnectPacket, url: string): Promise<ClientError | undefined> {
    const { promise, resolve } = Promise.withResolvers<ClientError | undefined>()
    const { properties } = connack
    connection.receiver = {
      onPacket: (packet) => this.#onPacket(connection, packet),
      onDrain: () => this.#outgoing.drained(),
      onClose: (error) => resolve(this.#lost(error))
    }
    const keepAliveSeconds = properties.serverKeepAlive ?? connect.keepAliveSeconds
    connection.startKeepAlive(keepAliveSeconds, this.#settings.pingTimeoutMs)
    if (properties.assignedClientIdentifier !== undefined) this.#clientId = properties.assignedClientIdentifier
    const { protocolVersion } = connect
    // 3.1 does not tell: where we did not ask for a clean one, it has the session.
    const isSessionPresent = protocolVersion === ProtocolVersion.Mqtt31 ? !connect.cleanStart : connack.sessionPresent
    const link = new Link(connection, serverLimitsOf(properties, connection.isMqtt5, this.#settings.options.inflightMaximum))
    const hadSession = !this.#session.isNew && !isCleanSession(connect)
    if (this.#session.isFirst) this.#routes.continuesSession = isSessionPresent
    this.#session.isNew = false
    this.#session.isFirst = false
    this.#link = link
    this.#connected = {
      url,
      protocolVersion,
      clientId: this.#clientId,
      sessionPresent: isSessionPresent,
      keepAliveSeconds,
      properties
    }
    this.#backpressure.connected(connection)
    this.#become('connected')
    this.#emitter.emit('connected', this.#connected)
    this.#incoming.connected(link, isSessionPresent)
    this.#subscriptions.connected(link, isSessionPresent, protocolVersion !== ProtocolVersion.Mqtt31)
    const lost = this.#outgoing.connected(link, isSessionPresent)
    if (!isSessionPresent && hadSession) this.#emitter.emit('sessionLost', lost)
    this.#firstConnection.resolve()
    return promise
  }

  #lost(error: ClientError | undefined): ClientError | undefined {
    this.#link = undefined
    this.#connected = undefined
    this.#backpressure.disconnected()
    this.#outgoing.disconnected()
    this.#incoming.disconnected()
    this.#subscriptions.disconnected()
    this.#reauthentication.disconnected(error ?? closedError())
    this.#emitter.emit('disconnected', { error })
    return error
  }

  #onPacket(connection: Connection, packet: Packet): void {
    switch (packet.type) {
      case PacketType.Publish:
        return this.#incoming.onPublish(packet)
      case PacketType.Puback:
        return this.#outgoing.onPuback(packet)
      case PacketType.Pubrec:
        return this.#outgoing.onPubrec(packet)
      case PacketType.Pubrel:
        return this.#incoming.onPubrel(packet)
      case PacketType.Pubcomp:
        return this.#outgoing.onPubcomp(packet)
      case PacketType.Suback:
        return this.#subscriptions.onSuback(packet)
      case PacketType.Unsuback:
        return this.#subscriptions.onUnsuback(packet)
      case PacketType.Pingresp:
        return
      case PacketType.Auth:
        return this.#reauthentication.onAuth(connection, packet)
      case PacketType.Disconnect:
        return connection.fail(disconnectError(packet))
      case PacketType.Connect:
      case PacketType.Connack:
      case PacketType.Subscribe:
      case PacketType.Unsubscribe:
      case PacketType.Pingreq:
        throw new MqttError(ReasonCode.ProtocolError, 'The server sent a packet that it may not send here')
    }
  }

  async #close(options: CloseOptions): Promise<CloseResult> {
    const { drainMs = DRAIN_MS, publishWill = false, sessionExpirySeconds } = options
    this.#become('closing')
    if (this.#link !== undefined && drainMs > 0) await this.#drain(drainMs)
    this.#subscriptions.close(undefined)
    const reasonCode = publishWill ? ReasonCode.DisconnectWithWillMessage : ReasonCode.NormalDisconnection
    this.#link?.connection.disconnect(reasonCode, sessionExpiryOf(this.#settings, this.#session, sessionExpirySeconds))
    return await this.#end(undefined)
  }

  /** Until everything is acknowledged, the time is up or the connection is gone. */
  async #drain(drainMs: number): Promise<void> {
    const { clock } = this.#settings
    const { promise, resolve }: PromiseWithResolvers<void> = Promise.withResolvers()
    const cancelTimer = clock.at(clock.now() + drainMs, resolve)
    const off = this.#emitter.on('disconnected', () => resolve())
    // What waited for room is accepted meanwhile.
    const onFinished = (error: ClientError | undefined): void => {
      if (error !== undefined || this.#publisher.messages === 0) resolve()
      else clock.defer(() => this.#outgoing.whenFinished(onFinished))
    }
    this.#outgoing.whenFinished(onFinished)
    await promise
    cancelTimer()
    off()
  }

  /** The end, wanted or not. */
  async #end(error: ClientError | undefined): Promise<CloseResult> {
    const undelivered = this.#publisher.messages
    const closed = error ?? closedError()
    this.#stopping.abort()
    this.#subscriptions.close(error)
    this.#requests.close(closed)
    this.#publisher.close(closed)
    this.#firstConnection.reject(closed)
    if (error === undefined) await this.#running
    this.#outgoing.close(closed)
    this.#routes.close()
    await this.#outbox.close()
    this.#become('closed')
    this.#emitter.emit('closed', { error })
    this.#emitter.clear()
    return { undelivered }
  }

  #responseTopic(): string {
    const { responseTopicPrefix } = this.#settings.options
    const prefix = responseTopicPrefix ?? this.#connected?.properties.responseInformation ?? 'godwit/reply/'
    return `${prefix}${prefix.endsWith('/') ? '' : '/'}${this.#randomToken(16)}`
  }

  #become(state: ClientState): void {
    const previous = this.#state
    // While it closes, what its last connection does is of no interest.
    if (previous === state || previous === 'closed' || (previous === 'closing' && state !== 'closed')) return
    this.#state = state
    this.#emitter.emit('state', { state, previous })
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw closedError()
  }
}
