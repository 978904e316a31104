import { type Packet, PacketType, ProtocolVersion } from '@godwit/protocol'
import { connect, disconnect, puback, publish, subscribe } from '@godwit/testkit'
import { Link } from '../../crash/link.ts'

/** PUBLISH packets that one publisher has unacknowledged. */
const WINDOW = 1_000
/** Clients that connect at the same time. */
const CONCURRENCY = 200
const VERSION = ProtocolVersion.Mqtt311

/** Leaves sessions behind, each with one subscription of QoS 1. */
export async function leaveSessions(port: number, count: number, topicFilterOf: (session: number) => string): Promise<void> {
  let next = 0
  const workers = Array.from({ length: Math.min(CONCURRENCY, count) }, async () => {
    while (next < count) {
      const session = next++
      await converse(port, clientIdOf(session), (packet, link) => {
        if (packet.type === PacketType.Connack) link.send(subscribe(1, [[topicFilterOf(session), { qos: 1 }]]))
        return packet.type === PacketType.Suback
      })
    }
  })
  await Promise.all(workers)
}

/** Publishes at QoS 1, and resolves when all of it is acknowledged, with the messages per second. */
export async function publishAll(
  port: number,
  count: number,
  topicOf: (message: number) => string,
  payload: Uint8Array,
  retain: boolean
): Promise<number> {
  let sent = 0
  let acknowledged = 0
  const startedAt = performance.now()
  await converse(port, 'publisher', (packet, link) => {
    if (packet.type === PacketType.Puback) acknowledged++
    while (sent < count && sent - acknowledged < WINDOW) {
      link.send(publish(topicOf(sent), payload, { qos: 1, retain, packetIdentifier: 1 + (sent % WINDOW) }))
      sent++
    }
    return acknowledged === count
  })
  return (count * 1000) / (performance.now() - startedAt)
}

/** Takes so many messages that wait for a session, and resolves with the messages per second. */
export async function drain(port: number, session: number, count: number): Promise<number> {
  let taken = 0
  const startedAt = performance.now()
  await converse(port, clientIdOf(session), (packet, link) => {
    if (packet.type !== PacketType.Publish) return count === 0
    link.send(puback(packet.packetIdentifier))
    return ++taken === count
  })
  return (count * 1000) / (performance.now() - startedAt)
}

/** A client with a session that stays; ends with DISCONNECT once it has seen what it came for. */
function converse(port: number, clientId: string, onPacket: (packet: Packet, link: Link) => boolean): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  const options = connect({ version: VERSION, clientId, cleanStart: false })
  void new Link(port, options, {
    onPacket(packet, link) {
      if (!onPacket(packet, link)) return
      link.send(disconnect())
      link.end()
      resolve(undefined)
    },
    onClosed: () => reject(new Error(`the broker closed the connection of ${clientId}`))
  })
  return promise
}

function clientIdOf(session: number): string {
  return `session-${session}`
}
