import { PacketType, ReasonCode, type UnsubscribePacket, type UnsubscribeReasonCode, validateTopicFilter } from '@godwit/protocol'
import type { Agreement, Connection } from './connection.ts'
import { checkWellFormed } from './handle-subscribe.ts'
import { parseReplayFilter } from './replay-requests.ts'

/**
 * UNSUBSCRIBE: filters are compared literally, and all are answered by one UNSUBACK ([5.0 3.10.4], [3.1.1 3.10.4]).
 * `$replay/START/FILTER` is a subscription to FILTER, and ends that.
 */
export function handleUnsubscribe(connection: Connection, { session }: Agreement, packet: UnsubscribePacket): void {
  const { engine } = connection
  if (!connection.isMqtt5) checkWellFormed(packet.topicFilters)
  const reasonCodes = packet.topicFilters.map((writtenFilter): UnsubscribeReasonCode => {
    if (validateTopicFilter(writtenFilter) !== undefined) return ReasonCode.TopicFilterInvalid
    const topicFilter = parseReplayFilter(writtenFilter)?.topicFilter ?? writtenFilter
    if (!engine.subscriptions.remove(session, topicFilter, 'unsubscribed')) return ReasonCode.NoSubscriptionExisted
    engine.tell((events) => events.emit('unsubscribed', { clientId: session.clientId, topicFilter }))
    return ReasonCode.Success
  })
  const hasStored = session.isDurable && reasonCodes.includes(ReasonCode.Success)
  connection.sender.respond(
    {
      type: PacketType.Unsuback,
      packetIdentifier: packet.packetIdentifier,
      reasonCodes: connection.isMqtt5 ? reasonCodes : [],
      properties: {}
    },
    hasStored
  )
}
