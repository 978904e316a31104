import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import { encodePacket, type Packet, PacketDecoder, PacketType, ProtocolVersion } from '@godwit/protocol'
import {
  connect,
  type ConnectOptions,
  disconnect,
  puback,
  pubcomp,
  publish,
  type PublishOptions,
  pubrec,
  pubrel,
  subscribe
} from '@godwit/testkit'
import { Mailbox, withinLimit } from '../interop/mailbox.ts'

/** A client that does what it is told, also what no library would do: it can stop in the middle of anything. */
export class RawClient {
  readonly socket: Socket
  readonly #version: ProtocolVersion
  readonly #inboxes = new Map<PacketType, Mailbox<Packet>>()
  readonly #ended = Promise.withResolvers<undefined>()
  readonly #closed = Promise.withResolvers<undefined>()
  #packetIdentifier = 0

  private constructor(socket: Socket, version: ProtocolVersion) {
    this.socket = socket
    this.#version = version
    socket.once('end', () => this.#ended.resolve(undefined))
    socket.once('close', () => this.#closed.resolve(undefined))
    const decoder = new PacketDecoder({ receiver: 'client', maximumPacketSize: Infinity, protocolVersion: version })
    // A reset is one of the ways in which a connection ends here.
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      decoder.push(chunk)
      for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) this.#inbox(packet.type).push(packet)
    })
  }

  /** Opens a network connection, and says nothing. */
  static async open(port: number, version: ProtocolVersion = ProtocolVersion.Mqtt5): Promise<RawClient> {
    const socket = connectSocket({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    await once(socket, 'connect')
    return new RawClient(socket, version)
  }

  /** Opens one, and is accepted by CONNACK. */
  static async connect(port: number, options: ConnectOptions): Promise<RawClient> {
    const client = await RawClient.open(port, options.version)
    client.send(connect(options))
    await client.next(PacketType.Connack)
    return client
  }

  /** Resolves when the server has closed its half. */
  get ended(): Promise<unknown> {
    return withinLimit(this.#ended.promise, 'the server to close a connection')
  }

  send(packet: Packet): void {
    this.socket.write(encodePacket(packet, this.#version))
  }

  /** The next packet of a type; others wait for those who ask for them. */
  next(type: PacketType): Promise<Packet> {
    return this.#inbox(type).next()
  }

  async subscribe(topicFilter: string, qos: 0 | 1 | 2): Promise<void> {
    this.send(subscribe(this.#nextPacketIdentifier(), [[topicFilter, { qos }]]))
    await this.next(PacketType.Suback)
  }

  /** Sends a PUBLISH and goes on to the end of the exchange. */
  async publish(topicName: string, payload: string | Uint8Array, options: PublishOptions = {}): Promise<void> {
    const { qos = 0 } = options
    const packetIdentifier = qos === 0 ? 0 : this.#nextPacketIdentifier()
    this.send(publish(topicName, payload, { ...options, packetIdentifier }))
    if (qos === 1) await this.next(PacketType.Puback)
    if (qos === 2) {
      await this.next(PacketType.Pubrec)
      this.send(pubrel(packetIdentifier))
      await this.next(PacketType.Pubcomp)
    }
  }

  /** Takes a PUBLISH and goes on to the end of the exchange. */
  async take(): Promise<string> {
    const packet = await this.next(PacketType.Publish)
    if (packet.type !== PacketType.Publish) throw new TypeError('not a PUBLISH')
    const { qos, packetIdentifier, payload } = packet
    if (qos === 1) this.send(puback(packetIdentifier))
    if (qos === 2) {
      this.send(pubrec(packetIdentifier))
      await this.next(PacketType.Pubrel)
      this.send(pubcomp(packetIdentifier))
    }
    return Buffer.from(payload).toString()
  }

  /** Says goodbye, and waits for the server to close. */
  async disconnect(): Promise<void> {
    this.send(disconnect())
    this.socket.end()
    await withinLimit(this.#closed.promise, 'a connection to close')
  }

  /** Ends the network connection without DISCONNECT: with FIN, or with RST. */
  async kill(how: 'fin' | 'reset'): Promise<void> {
    if (how === 'reset') this.socket.resetAndDestroy()
    else this.socket.destroy()
    await withinLimit(this.#closed.promise, 'a connection to close')
  }

  #inbox(type: PacketType): Mailbox<Packet> {
    let inbox = this.#inboxes.get(type)
    if (inbox === undefined) {
      inbox = new Mailbox(`a packet of type ${type}`)
      this.#inboxes.set(type, inbox)
    }
    return inbox
  }

  #nextPacketIdentifier(): number {
    this.#packetIdentifier = (this.#packetIdentifier % 0xffff) + 1
    return this.#packetIdentifier
  }
}
