import { type Packet, PacketType, ProtocolVersion } from '@godwit/protocol'
import { connect, subscribe } from '@godwit/testkit'
import { withinLimit } from '../interop/mailbox.ts'
import { Link } from './link.ts'
import type { RetainedBooks } from './retained-books.ts'
import type { Stage } from './stage.ts'

/**
 * Subscribes anew to what is retained, and compares it with what may be, while nobody publishes. Ends as well when the
 * broker is killed meanwhile.
 * @param patienceMs after which what has not come is missing
 */
export async function checkRetained(stage: Stage, retained: RetainedBooks, patienceMs: number): Promise<void> {
  const { ledger } = stage
  const allowed = retained.allowed()
  const awaited = new Set([...allowed].filter(([, numbers]) => !numbers.has(undefined)).map(([topicName]) => topicName))
  const ended = Promise.withResolvers<undefined>()
  let isAnswered = false

  const onPacket = (packet: Packet): void => {
    if (packet.type === PacketType.Connack) link.send(subscribe(1, [['kept/#', { qos: 0 }]]))
    else if (packet.type === PacketType.Suback) link.send({ type: PacketType.Pingreq })
    else if (packet.type === PacketType.Pingresp) isAnswered = true
    else if (packet.type === PacketType.Publish) {
      const { topicName, payload } = packet
      const number = Number.parseInt(Buffer.from(payload).toString('latin1'), 10)
      const numbers = allowed.get(topicName)
      if (numbers?.has(number) !== true) {
        ledger.fail(`message ${number} is retained for ${topicName}, where ${said(numbers)} should be`)
      }
      awaited.delete(topicName)
    }
    if (isAnswered && awaited.size === 0) ended.resolve(undefined)
  }
  const version = ProtocolVersion.Mqtt311
  const link = new Link(stage.port, connect({ version, clientId: 'checker' }), {
    onPacket,
    onClosed: () => ended.resolve(undefined)
  })
  try {
    await withinLimit(ended.promise, 'what is retained', patienceMs)
  } catch {
    for (const topicName of awaited) {
      ledger.fail(`nothing is retained for ${topicName}, where ${said(allowed.get(topicName))} should be`)
    }
  } finally {
    link.end()
  }
}

function said(numbers: ReadonlySet<number | undefined> = new Set([undefined])): string {
  return [...numbers].map((number) => number ?? 'nothing').join(' or ')
}
