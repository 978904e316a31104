import { type Packet, PacketType, ProtocolVersion } from '@godwit/protocol'
import { connect, disconnect, puback, pubcomp, publish, pubrec, pubrel, subscribe } from '@godwit/testkit'
import { Link } from '../../crash/link.ts'
import { withinLimit } from '../../interop/mailbox.ts'
import type { Pattern } from './patterns.ts'

const PAYLOAD = new Uint8Array(64)

/** A publisher and its subscribers, who send what a pattern says, write by write. */
export class Lockstep {
  readonly #pattern: Pattern
  readonly #links: Link[] = []
  #publisher: Link | undefined
  /** Packets that must still come before all that a step began is over. */
  #missing = 0
  #over: PromiseWithResolvers<undefined> = Promise.withResolvers()

  private constructor(pattern: Pattern) {
    this.#pattern = pattern
  }

  static async connect(port: number, pattern: Pattern): Promise<Lockstep> {
    const lockstep = new Lockstep(pattern)
    const { name, qos, subscribers } = pattern
    for (let subscriber = 0; subscriber < subscribers; subscriber++) {
      const link = await lockstep.#open(port, `${name}-subscriber-${subscriber}`)
      await lockstep.#step(1, () => link.send(subscribe(1, [[name, { qos }]])))
    }
    lockstep.#publisher = await lockstep.#open(port, `${name}-publisher`)
    return lockstep
  }

  /** Sends so many messages; resolves when the last is over. */
  async send(messages: number): Promise<void> {
    const { name, qos, subscribers, messagesPerWrite } = this.#pattern
    // QoS 0: the delivery; QoS 1: the PUBACK; QoS 2: PUBREC and PUBCOMP, and PUBREL to each subscriber.
    const packets = subscribers * Math.max(qos, 1) + qos
    for (let sent = 0; sent < messages; sent += messagesPerWrite) {
      await this.#step(packets * messagesPerWrite, () => {
        for (let each = 0; each < messagesPerWrite; each++) {
          this.#publisher?.send(publish(name, PAYLOAD, { qos, packetIdentifier: qos === 0 ? 0 : 1 + each }))
        }
      })
    }
  }

  disconnect(): void {
    for (const link of this.#links) {
      link.send(disconnect())
      link.end()
    }
  }

  async #open(port: number, clientId: string): Promise<Link> {
    let link: Link | undefined
    await this.#step(1, () => {
      link = new Link(port, connect({ version: ProtocolVersion.Mqtt311, clientId }), {
        onPacket: (packet, to) => this.#onPacket(packet, to),
        onClosed: () => this.#over.reject(new Error(`the broker closed the connection of ${clientId}`))
      })
    })
    if (link === undefined) throw new Error(`no connection for ${clientId}`)
    this.#links.push(link)
    return link
  }

  async #step(packets: number, begin: () => void): Promise<void> {
    this.#over = Promise.withResolvers()
    this.#missing = packets
    begin()
    await withinLimit(this.#over.promise, `the packets of ${this.#pattern.name}`)
  }

  #onPacket(packet: Packet, link: Link): void {
    switch (packet.type) {
      case PacketType.Publish:
        if (packet.qos === 1) link.send(puback(packet.packetIdentifier))
        else if (packet.qos === 2) link.send(pubrec(packet.packetIdentifier))
        break
      case PacketType.Pubrec:
        link.send(pubrel(packet.packetIdentifier))
        break
      case PacketType.Pubrel:
        link.send(pubcomp(packet.packetIdentifier))
        break
      default:
    }
    if (--this.#missing === 0) this.#over.resolve(undefined)
  }
}
