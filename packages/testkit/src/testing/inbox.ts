import {
  type ConnectProperties,
  type Packet,
  PacketDecoder,
  PacketType,
  packetTypeName,
  type ProtocolVersion,
  ReceivedPublish,
  type Receiver
} from '@godwit/protocol'
import { expect } from 'vitest'
import { describe, type ExpectedPacket, expectPacket, matches } from './expectations.ts'

interface Received {
  readonly packet: Packet
  readonly bytes: Uint8Array
}

export type PacketLimits = Pick<ConnectProperties, 'maximumPacketSize' | 'topicAliasMaximum'>

export type PacketOf<Type extends Packet['type']> = Extract<Packet, { readonly type: Type }>

/** What one end of a connection has received and its test has not yet expected, in order. */
export class Inbox {
  readonly #decoder: PacketDecoder
  /** Whose it is, for messages. */
  readonly #who: () => string
  readonly #received: Received[] = []
  #stream: Uint8Array = new Uint8Array(0)
  #maximumPacketSize = Infinity
  #topicAliasMaximum = Infinity

  /** @param protocolVersion undefined for a server, which learns it from CONNECT */
  constructor(protocolVersion: ProtocolVersion | undefined, who: () => string) {
    const receiver: Receiver = protocolVersion === undefined ? 'server' : 'client'
    this.#decoder = new PacketDecoder({ receiver, protocolVersion, maximumPacketSize: Infinity })
    this.#who = who
  }

  get packets(): readonly Packet[] {
    return this.#received.map(({ packet }) => packet)
  }

  /** This end has said in its CONNECT or CONNACK what it takes: anything beyond is an error from here on. */
  limit({ maximumPacketSize = Infinity, topicAliasMaximum = 0 }: PacketLimits): void {
    this.#maximumPacketSize = maximumPacketSize
    this.#topicAliasMaximum = topicAliasMaximum
  }

  /**
   * Takes a chunk from the network. `handle` sees each packet first, and keeps it out by returning true.
   * @throws for what no server may send, or not to this client
   */
  push(chunk: Uint8Array, handle: (packet: Packet) => boolean): void {
    this.#stream = Buffer.concat([this.#stream, chunk])
    this.#decoder.push(chunk)
    for (let next = this.#decoder.next(); next !== undefined; next = this.#decoder.next()) {
      const packet = next instanceof ReceivedPublish ? next.toPacket() : next
      const length = this.#stream.byteLength - this.#decoder.bufferedBytes
      this.#checkLimits(packet, length)
      if (!handle(packet)) this.#received.push({ packet, bytes: this.#stream.subarray(0, length) })
      this.#stream = this.#stream.subarray(length)
    }
  }

  /** Takes the next packet, which has to be this one. */
  next<Type extends Packet['type']>(expected: ExpectedPacket & { readonly type: Type }): PacketOf<Type> {
    const packet = this.#received.shift()?.packet
    expectPacket(this.#who(), packet, expected)
    return asType(packet, expected.type, this.#who())
  }

  /** Takes the next packet as the bytes that it came in. */
  nextBytes(): Uint8Array {
    const next = this.#received.shift()
    return next?.bytes ?? expect.fail(`${this.#who()} received nothing, where bytes were expected`)
  }

  /** Takes all that there is. */
  takeAll(): readonly Packet[] {
    return this.#received.splice(0).map(({ packet }) => packet)
  }

  /** Takes the next packets, which have to be these in whatever order. */
  nextInAnyOrder(expected: readonly ExpectedPacket[]): readonly Packet[] {
    const received = this.#received.splice(0, expected.length).map(({ packet }) => packet)
    const left = [...received]
    for (const each of expected) {
      const index = left.findIndex((packet) => matches(packet, each))
      if (index < 0) expect.fail(`${this.#who()} did not receive\n  ${describe(each)}\nbut\n  ${listed(left)}`)
      left.splice(index, 1)
    }
    return received
  }

  /** Takes the answer with a packet identifier, wherever it stands. */
  answer<Type extends Packet['type']>(type: Type, packetIdentifier: number): PacketOf<Type> {
    const index = this.#received.findIndex(
      ({ packet }) => packet.type === type && 'packetIdentifier' in packet && packet.packetIdentifier === packetIdentifier
    )
    if (index < 0) {
      const wanted = `${packetTypeName(type)} for packet identifier ${packetIdentifier}`
      expect.fail(`${this.#who()} did not receive ${wanted}, but\n  ${listed(this.packets)}`)
    }
    const [answer] = this.#received.splice(index, 1)
    return asType(answer?.packet, type, this.#who())
  }

  /** [5.0 MQTT-3.1.2-24] [5.0 MQTT-3.1.2-26] [5.0 MQTT-3.1.2-27] [5.0 MQTT-3.2.2-15] [5.0 MQTT-3.2.2-17] [5.0 MQTT-3.2.2-18] */
  #checkLimits(packet: Packet, length: number): void {
    if (length > this.#maximumPacketSize) {
      throw new Error(`${this.#who()} was sent ${length} bytes, above its Maximum Packet Size of ${this.#maximumPacketSize}`)
    }
    const { topicAlias = 0 } = packet.type === PacketType.Publish ? packet.properties : {}
    if (topicAlias > this.#topicAliasMaximum) {
      throw new Error(`${this.#who()} was sent Topic Alias ${topicAlias}, above its maximum of ${this.#topicAliasMaximum}`)
    }
  }

  expectEmpty(): void {
    if (this.#received.length > 0) expect.fail(`${this.#who()} received what was not expected:\n  ${listed(this.packets)}`)
  }
}

function asType<Type extends Packet['type']>(packet: Packet | undefined, type: Type, who: string): PacketOf<Type> {
  if (packet === undefined || !isOfType(packet, type)) expect.fail(`${who} did not receive ${packetTypeName(type)}`)
  return packet
}

function isOfType<Type extends Packet['type']>(packet: Packet, type: Type): packet is PacketOf<Type> {
  return packet.type === type
}

function listed(packets: readonly Packet[]): string {
  return packets.length === 0 ? 'nothing' : packets.map(describe).join('\n  ')
}
