export { MqttError } from './mqtt-error.ts'
export { PacketType, packetTypeName } from './packet-type.ts'
export { ProtocolVersion } from './protocol-version.ts'
export type { QoS } from './quality-of-service.ts'

export { ConnectReturnCode, ReasonCode } from './reason-codes.ts'
export type {
  AuthenticateReasonCode,
  ConnectReasonCode,
  DisconnectReasonCode,
  ErrorReasonCode,
  PublishReasonCode,
  ReleaseReasonCode,
  SubscribeReasonCode,
  SubscribeReturnCode,
  UnsubscribeReasonCode
} from './reason-codes.ts'
export { reasonCodeName } from './reason-code-names.ts'
export { isConnectReasonCode, isDisconnectReasonCode } from './reason-code-sets.ts'
export { toConnectReturnCode, toSubscribeReturnCode } from './return-codes.ts'

export { NO_PROPERTIES } from './properties.ts'
export type {
  AcknowledgementProperties,
  AuthProperties,
  ConnackProperties,
  ConnectProperties,
  DisconnectProperties,
  MessageProperties,
  PublishProperties,
  SubscribeProperties,
  UnsubscribeProperties,
  UserProperty,
  WillProperties
} from './properties.ts'

export type { Packet } from './packet.ts'
export type { AuthPacket } from './packets/auth.ts'
export type { ConnackPacket } from './packets/connack.ts'
export type { ConnectPacket, Will } from './packets/connect.ts'
export type { DisconnectPacket } from './packets/disconnect.ts'
export { PINGREQ, PINGRESP } from './packets/ping.ts'
export type { PingreqPacket, PingrespPacket } from './packets/ping.ts'
export { ACKNOWLEDGEMENT_LENGTH, writeAcknowledgement } from './packets/publish-acknowledgements.ts'
export type {
  AcknowledgementType,
  PubackPacket,
  PubcompPacket,
  PublishAcknowledgementPacket,
  PubrecPacket,
  PubrelPacket
} from './packets/publish-acknowledgements.ts'
export type { PublishPacket } from './packets/publish.ts'
export type { SubackPacket } from './packets/suback.ts'
export { RetainHandling } from './packets/subscribe.ts'
export type { SubscribePacket, SubscriptionOptions, SubscriptionRequest } from './packets/subscribe.ts'
export type { UnsubackPacket } from './packets/unsuback.ts'
export type { UnsubscribePacket } from './packets/unsubscribe.ts'

export { PacketDecoder } from './packet-decoder.ts'
export type { PacketDecoderOptions } from './packet-decoder.ts'
export type { Receiver } from './receiver.ts'
export { encodePacket } from './encode-packet.ts'
export { copyPublish, copyPublishHeader, encodePublish, publishLength } from './encoded-publish.ts'
export { ReceivedPublish } from './received-publish.ts'
export { publishHeaderLengthMax, writePublishHeader } from './write-publish.ts'
export type { EncodedPublish, PublishDelivery, PublishMessage, PublishVariation } from './encoded-publish.ts'

export {
  hasWildcard,
  isSharedSubscription,
  parseSharedSubscription,
  topicLevels,
  topicMatches,
  validateTopicFilter,
  validateTopicName
} from './topics.ts'
export type { SharedSubscription } from './topics.ts'
export { filterCovers, filtersMeet } from './filter-relations.ts'
