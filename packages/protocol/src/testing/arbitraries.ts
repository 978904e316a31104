import * as fc from 'fast-check'
import { PacketType } from '../packet-type.ts'
import type { Packet } from '../packet.ts'
import type { PublishDelivery, PublishMessage, PublishVariation } from '../encoded-publish.ts'
import type { Will } from '../packets/connect.ts'
import { RetainHandling } from '../packets/subscribe.ts'
import { NO_PROPERTIES } from '../properties.ts'
import type { AcknowledgementProperties, MessageProperties, UserProperty, WillProperties } from '../properties.ts'
import { ProtocolVersion } from '../protocol-version.ts'
import type { QoS } from '../quality-of-service.ts'
import { ConnectReturnCode, ReasonCode, type SubscribeReturnCode } from '../reason-codes.ts'
import {
  isAuthenticateReasonCode,
  isConnectReasonCode,
  isDisconnectReasonCode,
  isPublishReasonCode,
  isReleaseReasonCode,
  isSubscribeReasonCode,
  isUnsubscribeReasonCode
} from '../reason-code-sets.ts'
import { isSharedSubscription } from '../topics.ts'

/** A packet that may be sent, and the version in which. */
export interface VersionedPacket {
  readonly protocolVersion: ProtocolVersion
  readonly packet: Packet
}

const { Mqtt31, Mqtt311, Mqtt5 } = ProtocolVersion

// Numbers on the edges of their representations, then any.
const twoByteInteger = fc.oneof(fc.constantFrom(0, 1, 127, 128, 255, 256, 65_534, 65_535), fc.integer({ min: 0, max: 65_535 }))
const fourByteInteger = fc.oneof(
  fc.constantFrom(0, 1, 127, 128, 65_535, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
  fc.integer({ min: 0, max: 0xffff_ffff })
)
const subscriptionIdentifier = fc.oneof(
  fc.constantFrom(1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455),
  fc.integer({ min: 1, max: 268_435_455 })
)
const packetIdentifier = twoByteInteger.map((value) => Math.max(value, 1))
const qos = fc.constantFrom<QoS>(0, 1, 2)

const character = fc
  .oneof(
    { weight: 8, arbitrary: fc.constantFrom('a', 'B', '0', ' ', '~', '\u0001', '\u007f') },
    {
      weight: 1,
      arbitrary: fc.constantFrom('\u0080', '\u07ff', '\u0800', '\ufeff', '\uffff', '\ud7ff', '\ue000', '\u{10000}', '\u{10ffff}')
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) }
  )
  .filter((text) => text !== '\0' && text.isWellFormed())
const utf8String = fc.oneof(
  { weight: 20, arbitrary: fc.string({ unit: character, maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom('', 'x'.repeat(23), 'x'.repeat(64), 'x'.repeat(65), 'ü'.repeat(64), '😀'.repeat(40)) }
)
const topicName = fc
  .string({ unit: fc.oneof(character, fc.constantFrom('/', '$')), minLength: 1, maxLength: 16 })
  .map((text) => text.replaceAll(/[+#]/g, '-'))
const topicFilter = fc.oneof(
  utf8String,
  topicName.map((name) => `${name}/+/#`),
  topicName.map((name) => `$share/g/${name}`)
)
const binaryData = fc.oneof(
  fc.uint8Array({ maxLength: 8 }),
  fc.constantFrom(127, 128, 200).map((size) => new Uint8Array(size))
)
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 32 }),
  fc.constantFrom(0, 1, 126, 127, 128, 16_383, 16_384).map((size) => new Uint8Array(size).fill(0x30))
)
const userProperties = fc.array<UserProperty>(fc.tuple(utf8String, utf8String), { minLength: 1, maxLength: 3 })

const bare = fc.constant(NO_PROPERTIES)

const messageModel = {
  payloadFormatIndicator: fc.constantFrom<0 | 1>(0, 1),
  messageExpiryInterval: fourByteInteger,
  contentType: utf8String,
  responseTopic: topicName,
  correlationData: binaryData,
  userProperties
}
const acknowledgementModel = { reasonString: utf8String, userProperties }
const authenticationModel = { authenticationMethod: utf8String, authenticationData: binaryData }

// Some of the properties, in any order.
const messageProperties: fc.Arbitrary<MessageProperties> = fc.record(messageModel, { requiredKeys: [], noNullPrototype: true })
const willProperties: fc.Arbitrary<WillProperties> = fc.record(
  { ...messageModel, willDelayInterval: fourByteInteger },
  { requiredKeys: [], noNullPrototype: true }
)
const acknowledgementProperties: fc.Arbitrary<AcknowledgementProperties> = fc.oneof(
  bare,
  fc.record(acknowledgementModel, { requiredKeys: [], noNullPrototype: true })
)
const connectProperties = fc.record(
  {
    sessionExpiryInterval: fourByteInteger,
    receiveMaximum: packetIdentifier,
    maximumPacketSize: fourByteInteger.map((value) => Math.max(value, 1)),
    topicAliasMaximum: twoByteInteger,
    requestResponseInformation: fc.boolean(),
    requestProblemInformation: fc.boolean(),
    userProperties
  },
  { requiredKeys: [], noNullPrototype: true }
)
const connackProperties = fc.record(
  {
    ...acknowledgementModel,
    sessionExpiryInterval: fourByteInteger,
    receiveMaximum: packetIdentifier,
    maximumQoS: fc.constantFrom<0 | 1>(0, 1),
    retainAvailable: fc.boolean(),
    maximumPacketSize: fourByteInteger.map((value) => Math.max(value, 1)),
    assignedClientIdentifier: utf8String,
    topicAliasMaximum: twoByteInteger,
    wildcardSubscriptionAvailable: fc.boolean(),
    subscriptionIdentifiersAvailable: fc.boolean(),
    sharedSubscriptionAvailable: fc.boolean(),
    serverKeepAlive: twoByteInteger,
    responseInformation: utf8String,
    serverReference: utf8String
  },
  { requiredKeys: [], noNullPrototype: true }
)
const authentication = fc.record(authenticationModel, { requiredKeys: ['authenticationMethod'], noNullPrototype: true })

function codes<Code extends number>(isCode: (code: number) => code is Code): fc.Arbitrary<Code> {
  return fc.constantFrom(...Object.values(ReasonCode).filter((code) => isCode(code)))
}

const anyVersion = fc.constantFrom(Mqtt31, Mqtt311, Mqtt5)
const oldVersion = fc.constantFrom(Mqtt31, Mqtt311)

function versioned(versions: fc.Arbitrary<ProtocolVersion>, packet: fc.Arbitrary<Packet>): fc.Arbitrary<VersionedPacket> {
  return fc.record({ protocolVersion: versions, packet }, { noNullPrototype: true })
}

function will(properties: fc.Arbitrary<WillProperties>): fc.Arbitrary<Will | undefined> {
  const present = fc.record({ topicName, payload: binaryData, qos, retain: fc.boolean(), properties }, { noNullPrototype: true })
  return fc.option(present, { nil: undefined })
}

const connectCommon = {
  type: fc.constant(PacketType.Connect),
  cleanStart: fc.boolean(),
  keepAliveSeconds: twoByteInteger,
  clientId: utf8String,
  userName: fc.option(utf8String, { nil: undefined }),
  password: fc.option(binaryData, { nil: undefined })
}

const connect5 = fc
  .record({ ...connectCommon, will: will(fc.oneof(bare, willProperties)) }, { noNullPrototype: true })
  .chain((packet) =>
    fc
      .oneof(
        connectProperties,
        fc.tuple(connectProperties, authentication).map(([some, rest]) => ({ ...some, ...rest }))
      )
      .map((properties): VersionedPacket => ({
        protocolVersion: Mqtt5,
        packet: { ...packet, protocolVersion: Mqtt5, properties }
      }))
  )

const connectOld = fc
  .tuple(oldVersion, fc.record({ ...connectCommon, will: will(bare) }, { noNullPrototype: true }))
  .map(([protocolVersion, packet]): VersionedPacket => {
    const password = packet.userName === undefined ? undefined : packet.password
    return { protocolVersion, packet: { ...packet, protocolVersion, password, properties: NO_PROPERTIES } }
  })

const connack5 = fc
  .tuple(
    codes(isConnectReasonCode),
    fc.boolean(),
    fc.oneof(
      bare,
      connackProperties,
      fc.tuple(connackProperties, authentication).map(([some, rest]) => ({ ...some, ...rest }))
    )
  )
  .map(([reasonCode, hasSession, properties]): VersionedPacket => ({
    protocolVersion: Mqtt5,
    packet: { type: PacketType.Connack, sessionPresent: hasSession && reasonCode === 0, reasonCode, properties }
  }))

const connackOld = fc
  .tuple(oldVersion, fc.constantFrom(...Object.values(ConnectReturnCode)), fc.boolean())
  .map(([protocolVersion, reasonCode, hasSession]): VersionedPacket => {
    const sessionPresent = hasSession && reasonCode === 0 && protocolVersion === Mqtt311
    return { protocolVersion, packet: { type: PacketType.Connack, sessionPresent, reasonCode, properties: NO_PROPERTIES } }
  })

/** What a server has to send to its subscribers, and how. */
export const arbitraryMessage: fc.Arbitrary<PublishMessage> = fc.record(
  { topicName, payload, properties: fc.oneof(bare, messageProperties) },
  { noNullPrototype: true }
)

/** One delivery of a message; the Packet Identifier is 0 at QoS 0. */
export const arbitraryDelivery: fc.Arbitrary<PublishDelivery> = fc
  .record(
    { qos, retain: fc.boolean(), dup: fc.boolean(), packetIdentifier, messageExpiryInterval: fourByteInteger },
    { noNullPrototype: true }
  )
  .map((delivery) => (delivery.qos === 0 ? { ...delivery, dup: false, packetIdentifier: 0 } : delivery))

export const arbitraryVariation: fc.Arbitrary<PublishVariation> = fc
  .record(
    {
      subscriptionIdentifiers: fc.array(subscriptionIdentifier, { maxLength: 4 }),
      topicAlias: twoByteInteger,
      omitTopicName: fc.boolean()
    },
    { noNullPrototype: true }
  )
  .map((variation) => ({ ...variation, omitTopicName: variation.omitTopicName && variation.topicAlias > 0 }))

const publish = fc
  .tuple(anyVersion, arbitraryMessage, arbitraryDelivery, fc.option(arbitraryVariation, { nil: undefined }))
  .map(([protocolVersion, message, { qos, retain, dup, packetIdentifier }, variation]): VersionedPacket => {
    const isMqtt5 = protocolVersion === Mqtt5
    const common = { ...message, type: PacketType.Publish, qos, retain, dup, packetIdentifier }
    if (!isMqtt5) return { protocolVersion, packet: { ...common, properties: NO_PROPERTIES } }
    if (variation === undefined) return { protocolVersion, packet: common }
    const { subscriptionIdentifiers, topicAlias, omitTopicName } = variation
    const properties = {
      ...message.properties,
      ...(topicAlias > 0 ? { topicAlias } : {}),
      ...(subscriptionIdentifiers.length > 0 ? { subscriptionIdentifiers } : {})
    }
    return { protocolVersion, packet: { ...common, topicName: omitTopicName ? '' : message.topicName, properties } }
  })

const received5 = fc.record(
  {
    type: fc.constantFrom(PacketType.Puback, PacketType.Pubrec),
    packetIdentifier,
    reasonCode: codes(isPublishReasonCode),
    properties: acknowledgementProperties
  },
  { noNullPrototype: true }
)

const released5 = fc.record(
  {
    type: fc.constantFrom(PacketType.Pubrel, PacketType.Pubcomp),
    packetIdentifier,
    reasonCode: codes(isReleaseReasonCode),
    properties: acknowledgementProperties
  },
  { noNullPrototype: true }
)

const acknowledgementOld = fc.record(
  {
    type: fc.constantFrom(PacketType.Puback, PacketType.Pubrec, PacketType.Pubrel, PacketType.Pubcomp),
    packetIdentifier,
    reasonCode: fc.constant(ReasonCode.Success),
    properties: bare
  },
  { noNullPrototype: true }
)

const subscription = fc
  .record(
    {
      topicFilter,
      qos,
      noLocal: fc.boolean(),
      retainAsPublished: fc.boolean(),
      retainHandling: fc.constantFrom(...Object.values(RetainHandling))
    },
    { noNullPrototype: true }
  )
  .map((request) => ({ ...request, noLocal: request.noLocal && !isSharedSubscription(request.topicFilter) }))

const subscribe5 = fc.record(
  {
    type: fc.constant(PacketType.Subscribe),
    packetIdentifier,
    subscriptions: fc.array(subscription, { minLength: 1, maxLength: 4 }),
    properties: fc.record({ subscriptionIdentifier, userProperties }, { requiredKeys: [], noNullPrototype: true })
  },
  { noNullPrototype: true }
)

const subscribeOld = fc.record(
  {
    type: fc.constant(PacketType.Subscribe),
    packetIdentifier,
    subscriptions: fc.array(
      fc.record(
        {
          topicFilter,
          qos,
          noLocal: fc.constant(false),
          retainAsPublished: fc.constant(false),
          retainHandling: fc.constant(RetainHandling.SendAtSubscribe)
        },
        { noNullPrototype: true }
      ),
      { minLength: 1, maxLength: 4 }
    ),
    properties: bare
  },
  { noNullPrototype: true }
)

const suback5 = fc.record(
  {
    type: fc.constant(PacketType.Suback),
    packetIdentifier,
    reasonCodes: fc.array(codes(isSubscribeReasonCode), { minLength: 1, maxLength: 4 }),
    properties: acknowledgementProperties
  },
  { noNullPrototype: true }
)

const subackOld = fc.record(
  {
    type: fc.constant(PacketType.Suback),
    packetIdentifier,
    reasonCodes: fc.array(fc.constantFrom<SubscribeReturnCode>(0x00, 0x01, 0x02, 0x80), { minLength: 1, maxLength: 4 }),
    properties: bare
  },
  { noNullPrototype: true }
)

const unsubscribe5 = fc.record(
  {
    type: fc.constant(PacketType.Unsubscribe),
    packetIdentifier,
    topicFilters: fc.array(topicFilter, { minLength: 1, maxLength: 4 }),
    properties: fc.record({ userProperties }, { requiredKeys: [], noNullPrototype: true })
  },
  { noNullPrototype: true }
)

const unsubscribeOld = unsubscribe5.map((packet) => ({ ...packet, properties: NO_PROPERTIES }))

const unsuback5 = fc.record(
  {
    type: fc.constant(PacketType.Unsuback),
    packetIdentifier,
    reasonCodes: fc.array(codes(isUnsubscribeReasonCode), { minLength: 1, maxLength: 4 }),
    properties: acknowledgementProperties
  },
  { noNullPrototype: true }
)

const unsubackOld = unsuback5.map((packet) => ({ ...packet, reasonCodes: [], properties: NO_PROPERTIES }))

const ping = fc.constantFrom<Packet>({ type: PacketType.Pingreq }, { type: PacketType.Pingresp })

const disconnect5 = fc.record(
  {
    type: fc.constant(PacketType.Disconnect),
    reasonCode: codes(isDisconnectReasonCode),
    properties: fc.record(
      { ...acknowledgementModel, sessionExpiryInterval: fourByteInteger, serverReference: utf8String },
      { requiredKeys: [], noNullPrototype: true }
    )
  },
  { noNullPrototype: true }
)

const disconnectOld = fc.constant<Packet>({
  type: PacketType.Disconnect,
  reasonCode: ReasonCode.NormalDisconnection,
  properties: NO_PROPERTIES
})

const auth = fc.oneof(
  fc.constant<Packet>({ type: PacketType.Auth, reasonCode: ReasonCode.Success, properties: NO_PROPERTIES }),
  fc.record(
    {
      type: fc.constant(PacketType.Auth),
      reasonCode: codes(isAuthenticateReasonCode),
      properties: fc.record(
        { ...acknowledgementModel, ...authenticationModel },
        { requiredKeys: ['authenticationMethod'], noNullPrototype: true }
      )
    },
    { noNullPrototype: true }
  )
)

const mqtt5 = fc.constant(Mqtt5)

/** Packets that may be sent, of each type in each version that has it. */
export const arbitraryPackets: Readonly<Record<string, fc.Arbitrary<VersionedPacket>>> = {
  'CONNECT of 5.0': connect5,
  'CONNECT of 3.1 and 3.1.1': connectOld,
  'CONNACK of 5.0': connack5,
  'CONNACK of 3.1 and 3.1.1': connackOld,
  PUBLISH: publish,
  'PUBACK and PUBREC of 5.0': versioned(mqtt5, received5),
  'PUBREL and PUBCOMP of 5.0': versioned(mqtt5, released5),
  'PUBACK to PUBCOMP of 3.1 and 3.1.1': versioned(oldVersion, acknowledgementOld),
  'SUBSCRIBE of 5.0': versioned(mqtt5, subscribe5),
  'SUBSCRIBE of 3.1 and 3.1.1': versioned(oldVersion, subscribeOld),
  'SUBACK of 5.0': versioned(mqtt5, suback5),
  'SUBACK of 3.1 and 3.1.1': versioned(oldVersion, subackOld),
  'UNSUBSCRIBE of 5.0': versioned(mqtt5, unsubscribe5),
  'UNSUBSCRIBE of 3.1 and 3.1.1': versioned(oldVersion, unsubscribeOld),
  'UNSUBACK of 5.0': versioned(mqtt5, unsuback5),
  'UNSUBACK of 3.1 and 3.1.1': versioned(oldVersion, unsubackOld),
  'PINGREQ and PINGRESP': versioned(anyVersion, ping),
  'DISCONNECT of 5.0': versioned(mqtt5, disconnect5),
  'DISCONNECT of 3.1 and 3.1.1': versioned(oldVersion, disconnectOld),
  AUTH: versioned(mqtt5, auth)
}

export const arbitraryPacket: fc.Arbitrary<VersionedPacket> = fc.oneof(...Object.values(arbitraryPackets))
