import {
  NO_PROPERTIES,
  PacketType,
  type PubackPacket,
  type PubcompPacket,
  type PubrecPacket,
  type PubrelPacket,
  ReasonCode
} from '@godwit/protocol'
import type { Agreement, Connection } from './connection.ts'
import { Routed } from './router.ts'

/** PUBACK from a subscriber: a QoS 1 message is finished ([5.0 MQTT-4.3.2-3], [3.1.1 MQTT-4.3.2-1]). */
export function handlePuback({ session }: Agreement, { packetIdentifier, reasonCode }: PubackPacket): void {
  session.acknowledged(packetIdentifier, 1, reasonCode)
}

/** PUBREC from a subscriber: the first half of QoS 2 ([5.0 MQTT-4.3.3-4], [3.1.1 MQTT-4.3.3-1]). */
export function handlePubrec(
  connection: Connection,
  { session }: Agreement,
  { packetIdentifier, reasonCode }: PubrecPacket
): void {
  if (reasonCode >= ReasonCode.UnspecifiedError) {
    // [5.0 MQTT-4.4.0-2] a refused message is settled; there is no PUBREL
    session.acknowledged(packetIdentifier, 2, reasonCode)
    return
  }
  if (session.receivedByClient(packetIdentifier)) {
    // That the client has it must be on record before PUBREL: after a crash the PUBLISH must not be repeated.
    session.touch()
    connection.sender.acknowledge(PacketType.Pubrel, packetIdentifier, session.isDurable)
  } else {
    releaseUnknown(connection, packetIdentifier)
  }
}

/** PUBREL from a publisher: the message that was kept is passed on ([5.0 MQTT-4.3.3-11], [3.1.1 MQTT-4.3.3-2]). */
export function handlePubrel(connection: Connection, { session }: Agreement, { packetIdentifier }: PubrelPacket): void {
  const { router, store, clock, fates } = connection.engine
  const message = session.release(packetIdentifier)
  if (message === undefined) {
    completeUnknown(connection, packetIdentifier)
    return
  }
  if (session.isDurable) store.deleteReceived(session.clientId, packetIdentifier)
  let isStored = session.isDurable
  // [5.0 MQTT-4.3.3-13] the exchange is finished even if the message has expired meanwhile
  if (message.isExpired(clock.now())) fates.record('expired', message, session.clientId)
  else if (router.publish(message) === Routed.Stored) isStored = true
  connection.sender.acknowledge(PacketType.Pubcomp, packetIdentifier, isStored)
}

/** PUBCOMP from a subscriber: a QoS 2 message is finished ([5.0 MQTT-4.3.3-5]). */
export function handlePubcomp({ session }: Agreement, { packetIdentifier }: PubcompPacket): void {
  session.completed(packetIdentifier)
}

/** A PUBREC for a message that is not in flight: 3.1.1 knows no other answer than PUBREL. */
function releaseUnknown(connection: Connection, packetIdentifier: number): void {
  if (!connection.isMqtt5) {
    connection.sender.acknowledge(PacketType.Pubrel, packetIdentifier, false)
    return
  }
  const reasonCode = ReasonCode.PacketIdentifierNotFound
  connection.sender.respond({ type: PacketType.Pubrel, packetIdentifier, reasonCode, properties: NO_PROPERTIES }, false)
}

function completeUnknown(connection: Connection, packetIdentifier: number): void {
  if (!connection.isMqtt5) {
    connection.sender.acknowledge(PacketType.Pubcomp, packetIdentifier, false)
    return
  }
  const reasonCode = ReasonCode.PacketIdentifierNotFound
  connection.sender.respond({ type: PacketType.Pubcomp, packetIdentifier, reasonCode, properties: NO_PROPERTIES }, false)
}
