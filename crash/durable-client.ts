import { type ConnackPacket, type Packet, PacketType, packetTypeName, ProtocolVersion } from '@godwit/protocol'
import { connect, type ConnectOptions, disconnect, type WillOptions } from '@godwit/testkit'
import { Link, type LinkReceiver } from './link.ts'
import type { Stage } from './stage.ts'

export interface DurableClientOptions {
  readonly clientId: string
  readonly version: ProtocolVersion
  /** False: its session ends with each connection. */
  readonly isDurable?: boolean
  readonly receiveMaximum?: number
}

/** Seconds: for ever. */
const NEVER = 0xffff_ffff

/**
 * A client that comes back after each cut and goes on in its session, as [5.0 4.4] and [3.1.1 4.4] have it; it never loses
 * its own half of the session's state.
 */
export abstract class DurableClient implements LinkReceiver {
  readonly clientId: string
  protected readonly stage: Stage
  readonly #options: DurableClientOptions
  #link: Link | undefined
  #isAccepted = false
  #connects = 0
  /** CONNACK has come once: from then on the session has to be there. */
  #hasSession = false

  constructor(stage: Stage, options: DurableClientOptions) {
    this.stage = stage
    this.#options = options
    this.clientId = options.clientId
  }

  /** On a connection that was accepted. */
  get isAccepted(): boolean {
    return this.#isAccepted
  }

  get isConnecting(): boolean {
    return this.#link !== undefined
  }

  /** Opens a connection; the one before, if it is still there, is left for the broker to end. */
  comeBack(): void {
    if (this.stage.hasThreads && this.isConnecting && !this.isAccepted) return
    this.#link?.abandon()
    if (this.#link !== undefined) this.#gone()
    this.#connects++
    this.#link = new Link(this.stage.port, connect(this.#connectOptions()), this)
  }

  /** Ends the connection without a word. */
  cut(): void {
    this.#link?.cut()
    this.#gone()
  }

  /** Says DISCONNECT. */
  leave(): void {
    this.#link?.send(disconnect())
    this.#link?.end()
    this.#gone()
  }

  onPacket(packet: Packet, link: Link): void {
    if (link !== this.#link) return
    if (packet.type === PacketType.Connack) this.#onConnack(packet)
    else if (packet.type === PacketType.Disconnect) {
      if (this.stage.isUp) this.fail(`was sent away with DISCONNECT 0x${packet.reasonCode.toString(16)}`)
    } else this.handle(packet)
  }

  onClosed(link: Link): void {
    if (link !== this.#link) return
    if (this.stage.isUp) this.fail('was cut off by a broker that was not killed')
    this.#gone()
  }

  protected abstract accepted(sessionPresent: boolean): void
  protected abstract handle(packet: Packet): void
  /** The connection is gone, whoever ended it. */
  protected gone(): void {}
  /** The will for the connection that is about to be opened. */
  protected nextWill(): WillOptions | undefined {
    return undefined
  }

  protected send(packet: Packet): void {
    this.#link?.send(packet)
  }

  protected fail(what: string): void {
    this.stage.ledger.fail(`${this.clientId} ${what}`)
  }

  protected failUnexpected(packet: Packet): void {
    this.fail(`received a ${packetTypeName(packet.type)} that it had not asked for`)
  }

  #onConnack({ reasonCode, sessionPresent }: ConnackPacket): void {
    if (reasonCode !== 0) {
      // One that shuts down refuses whoever still comes.
      if (this.stage.isUp) this.fail(`was refused with CONNACK 0x${reasonCode.toString(16)}`)
      return
    }
    const { isDurable = true, version } = this.#options
    // 3.1 has no Session Present.
    const isPresent = version === ProtocolVersion.Mqtt31 ? this.#hasSession : sessionPresent
    if (isDurable && this.#hasSession && !isPresent) this.fail('lost its session, which had been acknowledged')
    // A first CONNACK may have been lost with its connection, and not the session.
    if (isPresent && (!isDurable || this.#connects === 1)) this.fail('found a session that it never had')
    this.#hasSession = true
    this.#isAccepted = true
    this.accepted(isPresent)
  }

  #gone(): void {
    this.#link = undefined
    this.#isAccepted = false
    this.gone()
  }

  #connectOptions(): ConnectOptions {
    const { clientId, version, isDurable = true, receiveMaximum } = this.#options
    const sessionExpirySeconds = isDurable && version === ProtocolVersion.Mqtt5 ? NEVER : undefined
    const properties = version === ProtocolVersion.Mqtt5 ? { sessionExpirySeconds, receiveMaximum } : {}
    return { clientId, version, cleanStart: !isDurable, will: this.nextWill(), ...properties }
  }
}
