import { MqttError, type Packet, PacketType, packetTypeName, PINGRESP, ReasonCode } from '@godwit/protocol'
import type { Agreement, Connection } from './connection.ts'
import { handlePuback, handlePubcomp, handlePubrec, handlePubrel } from './handle-acknowledgements.ts'
import { handleAuth } from './handle-auth.ts'
import { handleConnect } from './handle-connect.ts'
import { handleDisconnect } from './handle-disconnect.ts'
import { handlePublish } from './handle-publish.ts'
import { handleSubscribe } from './handle-subscribe.ts'
import { handleUnsubscribe } from './handle-unsubscribe.ts'

/**
 * Takes a packet from a client to its handler.
 * @throws MqttError for what ends the connection
 */
export function handlePacket(connection: Connection, packet: Packet): void {
  const { agreement } = connection
  if (agreement === undefined) handleBeforeAccepted(connection, packet)
  else handleAccepted(connection, agreement, packet)
}

function handleBeforeAccepted(connection: Connection, packet: Packet): void {
  if (packet.type === PacketType.Connect && connection.authenticating === undefined) {
    handleConnect(connection, packet)
    return
  }
  // [5.0 MQTT-3.1.2-30]: until CONNACK, a client in an authentication exchange sends nothing but AUTH and DISCONNECT
  if (packet.type === PacketType.Auth) handleAuth(connection, packet)
  else if (packet.type === PacketType.Disconnect) {
    connection.closedByClient({ reasonCode: packet.reasonCode, reason: 'the client gave up before it was accepted' })
  } else {
    throw new MqttError(ReasonCode.ProtocolError, `${packetTypeName(packet.type)} came before the client was accepted`)
  }
}

function handleAccepted(connection: Connection, agreement: Agreement, packet: Packet): void {
  switch (packet.type) {
    case PacketType.Publish:
      handlePublish(connection, agreement, packet)
      return
    case PacketType.Puback:
      handlePuback(agreement, packet)
      return
    case PacketType.Pubrec:
      handlePubrec(connection, agreement, packet)
      return
    case PacketType.Pubrel:
      handlePubrel(connection, agreement, packet)
      return
    case PacketType.Pubcomp:
      handlePubcomp(agreement, packet)
      return
    case PacketType.Subscribe:
      handleSubscribe(connection, agreement, packet)
      return
    case PacketType.Unsubscribe:
      handleUnsubscribe(connection, agreement, packet)
      return
    case PacketType.Pingreq:
      // [5.0 MQTT-3.12.4-1] [3.1.1 MQTT-3.12.4-1]
      connection.sender.sendNow(PINGRESP)
      return
    case PacketType.Disconnect:
      handleDisconnect(connection, agreement, packet)
      return
    case PacketType.Auth:
      handleAuth(connection, packet)
      return
    case PacketType.Connect:
      // [5.0 MQTT-3.1.0-2] [3.1.1 MQTT-3.1.0-2]
      throw new MqttError(ReasonCode.ProtocolError, 'CONNECT came a second time')
    case PacketType.Connack:
    case PacketType.Suback:
    case PacketType.Unsuback:
    case PacketType.Pingresp:
      throw new MqttError(ReasonCode.ProtocolError, `${packetTypeName(packet.type)} is sent by servers only`)
  }
}
