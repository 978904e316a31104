import {
  type ConnackProperties,
  type ConnectPacket,
  type ConnectReasonCode,
  type ConnectReturnCode,
  encodePacket,
  NO_PROPERTIES,
  type Packet,
  PacketType,
  PINGRESP,
  ProtocolVersion,
  ReasonCode,
  type SubscribePacket
} from '@godwit/protocol'
import type { MemoryTransport, TransportReceiver } from '@godwit/transport'
import { expect } from 'vitest'
import { fromHex, toHex } from '../hex.ts'
import type { ExpectedPacket } from './expectations.ts'
import { Inbox, type PacketOf } from './inbox.ts'

/** The CONNACK that accepts a client; its properties stand beside `sessionPresent`. */
export interface AcceptsOptions extends ConnackProperties {
  /** Default: false. */
  readonly sessionPresent?: boolean
}

/** What a client wants to reach. */
export interface Target {
  readonly url: string
  /** WebSocket subprotocol. */
  readonly subprotocol: string
}

/**
 * The server's end of a connection that the client under test has opened: it does what the test tells it to, in raw packets. Each
 * action settles before it resolves. What has been received is expected in its order; what nobody expected, a close included, fails
 * the scenario at its end, and so does what no client may send.
 */
export class ServedConnection implements TransportReceiver {
  readonly target: Target
  /** Answers PINGREQ with PINGRESP, without showing it. */
  answersPings = true
  readonly #name: string
  readonly #transport: MemoryTransport
  readonly #clientEnd: MemoryTransport
  readonly #simulation: { settles(): Promise<void> }
  readonly #inbox: Inbox
  #connect: ConnectPacket | undefined
  #error: Error | undefined
  #isClosed = false
  #isCloseExpected = false
  #isRestExpected = false

  constructor(
    name: string,
    target: Target,
    [transport, clientEnd]: readonly [MemoryTransport, MemoryTransport],
    simulation: { settles(): Promise<void> }
  ) {
    this.#name = name
    this.target = target
    this.#transport = transport
    this.#clientEnd = clientEnd
    this.#simulation = simulation
    this.#inbox = new Inbox(undefined, () => name)
    transport.start(this)
  }

  /** The CONNECT that was accepted or refused. */
  get connect(): ConnectPacket {
    return this.#connect ?? expect.fail(`${this.#name} has not accepted a CONNECT`)
  }

  get version(): ProtocolVersion {
    return this.#connect?.protocolVersion ?? ProtocolVersion.Mqtt5
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

  /** Takes the CONNECT, which has to be the first packet, with these fields, if given. */
  async receivesConnect(
    expected: Omit<ExpectedPacket & { readonly type: typeof PacketType.Connect }, 'type'> = {}
  ): Promise<ConnectPacket> {
    this.#connect = await this.receives({ type: PacketType.Connect, ...expected })
    return this.#connect
  }

  /** Takes the CONNECT, if that was not done yet, and answers it with a CONNACK that accepts it. */
  async accepts({ sessionPresent = false, ...properties }: AcceptsOptions = {}): Promise<void> {
    if (this.#connect === undefined) await this.receivesConnect()
    this.#inbox.limit(properties)
    await this.sends({
      type: PacketType.Connack,
      sessionPresent,
      reasonCode: ReasonCode.Success,
      properties: this.version === ProtocolVersion.Mqtt5 ? properties : NO_PROPERTIES
    })
  }

  /** Takes the CONNECT, refuses it and closes. */
  async refuses(reasonCode: ConnectReasonCode | ConnectReturnCode, properties: ConnackProperties = NO_PROPERTIES): Promise<void> {
    if (this.#connect === undefined) await this.receivesConnect()
    this.#isCloseExpected = true
    this.#writes({ type: PacketType.Connack, sessionPresent: false, reasonCode, properties })
    this.#transport.end()
    await this.#settles()
  }

  /** Takes a SUBSCRIBE, which has to be the next packet, and grants the QoS that it asks for. */
  async grants(): Promise<SubscribePacket> {
    const packet = await this.receives({ type: PacketType.Subscribe })
    const reasonCodes = packet.subscriptions.map(({ qos }) => qos)
    await this.sends({
      type: PacketType.Suback,
      packetIdentifier: packet.packetIdentifier,
      reasonCodes,
      properties: NO_PROPERTIES
    })
    return packet
  }

  /** Sends packets one behind the other, in one write. */
  async sends(...packets: readonly Packet[]): Promise<void> {
    this.#writes(...packets)
    await this.#settles()
  }

  /** Writes packets that are on their way while the client goes on. */
  sendsLater(...packets: readonly Packet[]): void {
    this.#writes(...packets)
  }

  /** Sends bytes as they are, or written in hexadecimal. */
  async sendsBytes(bytes: string | Uint8Array): Promise<void> {
    this.#transport.write(typeof bytes === 'string' ? fromHex(bytes) : bytes)
    await this.#settles()
  }

  /** The next packet received has to be this one. Returns it whole. */
  async receives<Type extends Packet['type']>(expected: ExpectedPacket & { readonly type: Type }): Promise<PacketOf<Type>> {
    await this.#settles()
    return this.#inbox.next<Type>(expected)
  }

  /** The next packet received has to be exactly these bytes, written in hexadecimal. */
  async receivesBytes(hex: string): Promise<void> {
    await this.#settles()
    expect(toHex(this.#inbox.nextBytes())).toBe(toHex(fromHex(hex)))
  }

  /** The next packet received, as bytes. */
  async nextBytes(): Promise<Uint8Array> {
    await this.#settles()
    return this.#inbox.nextBytes()
  }

  /** Takes all that has been received, and sends what `answer` makes of it. */
  async receivesAll(answer: (packet: Packet) => readonly Packet[]): Promise<void> {
    await this.#settles()
    await this.sends(...this.#inbox.takeAll().flatMap(answer))
  }

  async receivesNothing(): Promise<void> {
    await this.#settles()
    this.#inbox.expectEmpty()
  }

  /** Sends these packets, if any, and closes the network connection in order. */
  async closes(...packets: readonly Packet[]): Promise<void> {
    this.#isCloseExpected = true
    this.#writes(...packets)
    this.#transport.end()
    await this.#settles()
  }

  /** The network connection breaks; both ends notice. */
  async breaks(): Promise<void> {
    this.#isCloseExpected = true
    await this.#settles()
    this.#transport.cut()
    this.#clientEnd.cut()
    await this.#settles()
  }

  /** The link is half open from here on: what the client sends arrives nowhere, and it is told nothing. */
  goesSilent(): void {
    this.answersPings = false
    this.#transport.pause()
    this.#isCloseExpected = true
  }

  /** Reads on what has piled up since `goesSilent`. */
  async readsAgain(): Promise<void> {
    this.#transport.resume()
    await this.#settles()
  }

  /** The client has closed the network connection, without another packet. */
  async isClosed(): Promise<void> {
    await this.#settles()
    this.#inbox.expectEmpty()
    expect(this.#isClosed, `whether ${this.#name} was closed`).toBe(true)
    this.#isCloseExpected = true
  }

  /** What else it receives, and whether it is closed, is not what the scenario is about. */
  ignoresTheRest(): void {
    this.#isRestExpected = true
  }

  /** The scenario ends: nothing was left unexpected. */
  expectNothingLeft(): void {
    if (this.#error !== undefined) throw this.#error
    if (this.#isRestExpected) return
    this.#inbox.expectEmpty()
    if (!this.#isCloseExpected) expect(this.#isClosed, `whether the client has closed ${this.#name}, unexpectedly`).toBe(false)
  }

  #writes(...packets: readonly Packet[]): void {
    this.#transport.write(Buffer.concat(packets.map((packet) => encodePacket(packet, this.version))))
  }

  async #settles(): Promise<void> {
    await this.#simulation.settles()
    if (this.#error !== undefined) throw this.#error
  }

  /** Returns whether the packet was answered and need not be shown. */
  #handle(packet: Packet): boolean {
    if (packet.type !== PacketType.Pingreq || !this.answersPings) return false
    this.#writes(PINGRESP)
    return true
  }
}
