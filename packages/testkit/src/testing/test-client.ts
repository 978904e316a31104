import {
  type ConnackPacket,
  type DisconnectProperties,
  type DisconnectReasonCode,
  encodePacket,
  type Packet,
  PacketType,
  ProtocolVersion,
  ReasonCode,
  type SubackPacket,
  type SubscribeProperties,
  type UnsubackPacket
} from '@godwit/protocol'
import type { MemoryTransport, TransportReceiver } from '@godwit/transport'
import { expect } from 'vitest'
import { fromHex, hexByte, toHex } from '../hex.ts'
import {
  type ConnectOptions,
  disconnect,
  puback,
  pubcomp,
  publish,
  type PublishOptions,
  pubrec,
  pubrel,
  subscribe,
  type SubscriptionOptions,
  unsubscribe
} from '../packets.ts'
import type { Simulation } from '../simulation.ts'
import type { ExpectedPacket } from './expectations.ts'
import { Inbox, type PacketOf } from './inbox.ts'

/** What a client needs of the scenario that it acts in. */
export interface Stage {
  readonly simulation: Simulation
  connects(options: ClientOptions): Promise<TestClient>
}

export interface ClientOptions extends ConnectOptions {
  /** Sets `acknowledges`. Default: true. */
  readonly acknowledges?: boolean
}

/** One SUBSCRIBE. The options hold for every filter that has none of its own. */
export interface SubscribesOptions extends SubscriptionOptions {
  /** The Subscription Identifier. */
  readonly identifier?: number
  readonly userProperties?: SubscribeProperties['userProperties']
  /** The Reason Codes of the SUBACK. Default: the requested QoS of each filter. */
  readonly expects?: readonly number[] | undefined
}

/** One PUBLISH with all that follows from it. */
export interface PublishesOptions extends PublishOptions {
  /** The Reason Code of the PUBACK or PUBREC. Default: Success, or on 5.0 No matching subscribers. */
  readonly expects?: number | undefined
}

export interface DisconnectsOptions extends Omit<DisconnectProperties, 'sessionExpiryInterval'> {
  /** Default: Normal disconnection. */
  readonly reasonCode?: DisconnectReasonCode
  readonly sessionExpirySeconds?: number | undefined
}

/**
 * A client that does what the test tells it to, in raw packets. Each action settles before it resolves: what the broker
 * has to say to it by then has been received. What has been received is expected in its order; what nobody expected, a
 * close included, fails the scenario at its end.
 */
export class TestClient implements TransportReceiver {
  readonly version: ProtocolVersion
  readonly options: ClientOptions
  /** Answers PUBLISH with PUBACK or PUBREC; and PUBREL with PUBCOMP, without showing the PUBREL. */
  acknowledges: boolean
  readonly #stage: Stage
  readonly #transport: MemoryTransport
  readonly #serverEnd: MemoryTransport
  readonly #inbox: Inbox
  #connack: ConnackPacket | undefined
  #error: Error | undefined
  #isClosed = false
  #isCloseExpected = false
  #isRestExpected = false
  #lastPacketIdentifier = 0

  constructor(stage: Stage, options: ClientOptions, [serverEnd, transport]: readonly [MemoryTransport, MemoryTransport]) {
    this.#stage = stage
    this.options = options
    this.version = options.version ?? ProtocolVersion.Mqtt5
    this.acknowledges = options.acknowledges ?? true
    this.#inbox = new Inbox(this.version, () => this.#name)
    this.#serverEnd = serverEnd
    this.#transport = transport
    transport.start(this)
  }

  /** The ClientID that it gave, or was assigned. */
  get clientId(): string {
    return this.#connack?.properties.assignedClientIdentifier ?? this.options.clientId ?? ''
  }

  /** The CONNACK that accepted it. */
  get connack(): ConnackPacket {
    return this.#connack ?? expect.fail(`${this.#name} has received no CONNACK`)
  }

  /** What has been received and not yet expected. */
  get inbox(): readonly Packet[] {
    return this.#inbox.packets
  }

  onData(chunk: Uint8Array): void {
    try {
      this.#inbox.push(chunk, (packet) => this.#handle(packet))
    } catch (error) {
      this.#error ??= error instanceof Error ? error : new Error(String(error))
    }
  }

  onDrain(): void {}

  onClose(): void {
    this.#isClosed = true
  }

  /** Sends packets one behind the other, in one write. */
  async sends(...packets: readonly Packet[]): Promise<void> {
    for (const packet of packets) if (packet.type === PacketType.Connect) this.#inbox.limit(packet.properties)
    await this.sendsBytes(Buffer.concat(packets.map((packet) => encodePacket(packet, this.version))))
  }

  /** Sends bytes as they are, or written in hexadecimal. */
  async sendsBytes(bytes: string | Uint8Array): Promise<void> {
    this.#transport.write(typeof bytes === 'string' ? fromHex(bytes) : bytes)
    await this.#settles()
  }

  /** Sends CONNECT; the CONNACK has to be the next packet received, and to accept it. */
  async isAccepted(packet: Packet): Promise<void> {
    await this.sends(packet)
    this.#connack = await this.receives({ type: PacketType.Connack, reasonCode: ReasonCode.Success })
  }

  /** Sends SUBSCRIBE and takes its SUBACK, wherever that stands among what has been received. */
  async subscribes(
    filters: string | readonly (string | readonly [topicFilter: string, options: SubscriptionOptions])[],
    { identifier, userProperties, expects, ...shared }: SubscribesOptions = {}
  ): Promise<SubackPacket> {
    const requests = (typeof filters === 'string' ? [filters] : filters).map((filter) =>
      typeof filter === 'string' ? ([filter, shared] as const) : ([filter[0], { ...shared, ...filter[1] }] as const)
    )
    const packetIdentifier = this.#nextPacketIdentifier()
    await this.sends(subscribe(packetIdentifier, requests, { subscriptionIdentifier: identifier, userProperties }))
    const suback = this.#inbox.answer(PacketType.Suback, packetIdentifier)
    const granted = expects ?? requests.map(([, { qos = 0 }]) => qos)
    expect(suback.reasonCodes.map(hexByte), `the SUBACK to ${this.#name}`).toEqual(granted.map(hexByte))
    return suback
  }

  /** Sends UNSUBSCRIBE and takes its UNSUBACK; on 5.0 its Reason Codes have to be `expects`, by default all Success. */
  async unsubscribes(
    filters: string | readonly string[],
    { expects }: { readonly expects?: readonly number[] | undefined } = {}
  ): Promise<UnsubackPacket> {
    const topicFilters = typeof filters === 'string' ? [filters] : filters
    const packetIdentifier = this.#nextPacketIdentifier()
    await this.sends(unsubscribe(packetIdentifier, topicFilters))
    const unsuback = this.#inbox.answer(PacketType.Unsuback, packetIdentifier)
    if (this.version === ProtocolVersion.Mqtt5) {
      const expected = expects ?? topicFilters.map(() => ReasonCode.Success)
      expect(unsuback.reasonCodes.map(hexByte), `the UNSUBACK to ${this.#name}`).toEqual(expected.map(hexByte))
    }
    return unsuback
  }

  /** Sends PUBLISH and goes through the whole exchange of its QoS. Returns the Reason Code of the first answer. */
  async publishes(
    topicName: string,
    payload: string | Uint8Array = '',
    { expects, ...options }: PublishesOptions = {}
  ): Promise<number> {
    const { qos = 0 } = options
    const packetIdentifier = options.packetIdentifier ?? (qos === 0 ? 0 : this.#nextPacketIdentifier())
    await this.sends(publish(topicName, payload, { ...options, packetIdentifier }))
    if (qos === 0) return ReasonCode.Success
    const { reasonCode } = this.#inbox.answer(qos === 1 ? PacketType.Puback : PacketType.Pubrec, packetIdentifier)
    const accepted = expects === undefined ? [ReasonCode.Success, ReasonCode.NoMatchingSubscribers] : [expects]
    expect(accepted.map(hexByte), `Reason Codes for the PUBLISH of ${this.#name}`).toContain(hexByte(reasonCode))
    if (qos === 2 && reasonCode < ReasonCode.UnspecifiedError) {
      await this.sends(pubrel(packetIdentifier))
      const pubcomp = this.#inbox.answer(PacketType.Pubcomp, packetIdentifier)
      expect(hexByte(pubcomp.reasonCode), `the PUBCOMP to ${this.#name}`).toBe(hexByte(ReasonCode.Success))
    }
    return reasonCode
  }

  /** Sends DISCONNECT and closes the network connection, as a client has to. */
  async disconnects({ reasonCode, sessionExpirySeconds, ...properties }: DisconnectsOptions = {}): Promise<void> {
    this.#isCloseExpected = true
    await this.sends(disconnect(reasonCode, { ...properties, sessionExpiryInterval: sessionExpirySeconds }))
    this.#transport.end()
    await this.#settles()
  }

  /** The network connection breaks, without DISCONNECT; both ends notice. */
  async dropsConnection(): Promise<void> {
    this.#isCloseExpected = true
    await this.#settles()
    this.#transport.cut()
    this.#serverEnd.cut()
    await this.#settles()
  }

  /** Closes the network connection in order, without DISCONNECT. */
  async closesConnection(): Promise<void> {
    this.#isCloseExpected = true
    this.#transport.end()
    await this.#settles()
  }

  /** Stops reading from the network: what the broker sends piles up there. */
  pausesReading(): void {
    this.#transport.pause()
  }

  /** Reads on, and takes what has piled up. */
  async resumesReading(): Promise<void> {
    this.#transport.resume()
    await this.#settles()
  }

  /** Connects again: the same ClientID and options, but Clean Start 0, and other options where given. */
  async reconnects(options: ClientOptions = {}): Promise<TestClient> {
    const client = await this.#stage.connects({ ...this.options, clientId: this.clientId, cleanStart: false, ...options })
    client.#lastPacketIdentifier = this.#lastPacketIdentifier
    return client
  }

  /** The next packet received has to be this one. Returns it whole. */
  async receives<Type extends Packet['type']>(expected: ExpectedPacket & { readonly type: Type }): Promise<PacketOf<Type>> {
    await this.#settles()
    return this.#inbox.next<Type>(expected)
  }

  /** The next packet received has to be exactly these bytes, written in hexadecimal. */
  async receivesBytes(hex: string): Promise<void> {
    await this.#settles()
    expect(toHex(this.#inbox.nextBytes()), `what ${this.#name} received`).toBe(toHex(fromHex(hex)))
  }

  /** The next packets received have to be these, in whatever order. */
  async receivesInAnyOrder(...expected: readonly ExpectedPacket[]): Promise<readonly Packet[]> {
    await this.#settles()
    return this.#inbox.nextInAnyOrder(expected)
  }

  /** Nothing has been received that was not expected, and the network connection is open. */
  async receivesNothing(): Promise<void> {
    await this.#settles()
    this.#inbox.expectEmpty()
    expect(this.#isClosed, `whether the network connection of ${this.#name} is closed`).toBe(false)
  }

  /**
   * The broker has closed the network connection; on 5.0 after a DISCONNECT with this Reason Code, and with these
   * properties if given. 3.1 and 3.1.1 have no such packet: there the Reason Code is not looked at.
   */
  async isDisconnected({
    reasonCode,
    properties
  }: {
    readonly reasonCode: DisconnectReasonCode
    readonly properties?: DisconnectProperties
  }): Promise<void> {
    await this.#settles()
    if (this.version === ProtocolVersion.Mqtt5) {
      this.#inbox.next({ type: PacketType.Disconnect, reasonCode, ...(properties === undefined ? {} : { properties }) })
    }
    await this.isClosed()
  }

  /** The broker has closed the network connection without another packet. */
  async isClosed(): Promise<void> {
    await this.#settles()
    this.#inbox.expectEmpty()
    expect(this.#isClosed, `whether the network connection of ${this.#name} is closed`).toBe(true)
    this.#isCloseExpected = true
  }

  /** What else it receives, and whether it is disconnected, is not what the scenario is about. */
  ignoresTheRest(): void {
    this.#isRestExpected = true
  }

  /** The broker goes down: from here on the client may be told so and be disconnected, or just be disconnected. */
  losesBroker(): void {
    if (!this.#isRestExpected) this.#inbox.expectEmpty()
    this.#isRestExpected = true
  }

  /** The scenario ends: nothing was left unexpected. */
  expectNothingLeft(): void {
    if (this.#error !== undefined) throw this.#error
    if (this.#isRestExpected) return
    this.#inbox.expectEmpty()
    if (!this.#isCloseExpected) expect(this.#isClosed, `whether ${this.#name} was disconnected, unexpectedly`).toBe(false)
  }

  get #name(): string {
    return this.clientId === '' ? 'the client' : `client ${this.clientId}`
  }

  async #settles(): Promise<void> {
    await this.#stage.simulation.settles()
    if (this.#error !== undefined) throw this.#error
  }

  /** Returns whether the packet was answered and need not be shown. */
  #handle(packet: Packet): boolean {
    if (!this.acknowledges) return false
    if (packet.type === PacketType.Publish && packet.qos === 1) this.#writes(puback(packet.packetIdentifier))
    if (packet.type === PacketType.Publish && packet.qos === 2) this.#writes(pubrec(packet.packetIdentifier))
    if (packet.type === PacketType.Pubrel) this.#writes(pubcomp(packet.packetIdentifier))
    return packet.type === PacketType.Pubrel
  }

  #writes(packet: Packet): void {
    this.#transport.write(encodePacket(packet, this.version))
  }

  #nextPacketIdentifier(): number {
    this.#lastPacketIdentifier = (this.#lastPacketIdentifier % 0xffff) + 1
    return this.#lastPacketIdentifier
  }
}
