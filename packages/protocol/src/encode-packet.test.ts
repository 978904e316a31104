import { describe, expect, it } from 'vitest'
import { encodePacket } from './encode-packet.ts'
import { PacketType } from './packet-type.ts'
import type { Packet } from './packet.ts'
import { RetainHandling } from './packets/subscribe.ts'
import { NO_PROPERTIES } from './properties.ts'
import { ProtocolVersion } from './protocol-version.ts'
import { ReasonCode } from './reason-codes.ts'
import { bytes } from './testing/bytes.ts'
import { decodeOne } from './testing/decode.ts'

const { Mqtt311, Mqtt5 } = ProtocolVersion

const CONNECT = {
  type: PacketType.Connect,
  protocolVersion: Mqtt311,
  cleanStart: true,
  keepAliveSeconds: 0,
  clientId: '',
  will: undefined,
  userName: undefined,
  password: undefined,
  properties: NO_PROPERTIES
} as const
const PUBLISH = {
  type: PacketType.Publish,
  topicName: 'a',
  payload: new Uint8Array(0),
  qos: 0,
  retain: false,
  dup: false,
  packetIdentifier: 0,
  properties: NO_PROPERTIES
} as const
const SUBSCRIPTION = {
  topicFilter: 'a',
  qos: 0,
  noLocal: true,
  retainAsPublished: true,
  retainHandling: RetainHandling.DoNotSend
} as const

describe('what a version does not have', () => {
  it.each<[title: string, packet: Packet, encoded: string]>([
    [
      'properties and a Reason Code of a PUBACK',
      {
        type: PacketType.Puback,
        packetIdentifier: 1,
        reasonCode: ReasonCode.QuotaExceeded,
        properties: { reasonString: 'full' }
      },
      '40 02 0001'
    ],
    ['properties of a PUBLISH', { ...PUBLISH, properties: { topicAlias: 1, contentType: 't' } }, "30 03 0001 'a'"],
    [
      'Subscription Options but the QoS',
      {
        type: PacketType.Subscribe,
        packetIdentifier: 1,
        subscriptions: [SUBSCRIPTION],
        properties: { subscriptionIdentifier: 1 }
      },
      "82 06 0001 0001 'a' 00"
    ],
    [
      '[3.1.1 MQTT-3.9.3-2] the kind of a failure in a SUBACK',
      {
        type: PacketType.Suback,
        packetIdentifier: 1,
        reasonCodes: [ReasonCode.GrantedQoS1, ReasonCode.NotAuthorized, ReasonCode.UnspecifiedError],
        properties: NO_PROPERTIES
      },
      '90 05 0001 01 80 80'
    ],
    [
      'Reason Codes of an UNSUBACK',
      { type: PacketType.Unsuback, packetIdentifier: 1, reasonCodes: [ReasonCode.Success], properties: NO_PROPERTIES },
      'b0 02 0001'
    ],
    [
      'the reason of a DISCONNECT',
      {
        type: PacketType.Disconnect,
        reasonCode: ReasonCode.DisconnectWithWillMessage,
        properties: { sessionExpiryInterval: 1 }
      },
      'e0 00'
    ]
  ])('is left out on 3.1.1: %s', (_title, packet, encoded) => {
    expect(encodePacket(packet, Mqtt311)).toEqual(bytes(encoded))
  })
})

describe('properties', () => {
  it('that are undefined, and lists that are empty, are absent', () => {
    const properties = { reasonString: undefined, userProperties: [] }
    const puback = { type: PacketType.Puback, packetIdentifier: 1, reasonCode: ReasonCode.Success, properties }
    expect(encodePacket(puback, Mqtt5)).toEqual(bytes('40 02 0001'))
  })

  it('[5.0 MQTT-3.3.2-18] keep their order', () => {
    const userProperties = [
      ['b', '1'],
      ['a', '2'],
      ['b', '1']
    ] as const
    const encoded = encodePacket({ ...PUBLISH, properties: { userProperties } }, Mqtt5)
    const { packets } = decodeOne({ receiver: 'server', protocolVersion: Mqtt5 }, encoded)
    expect(packets).toMatchObject([{ properties: { userProperties } }])
  })
})

describe('what cannot be written is the caller’s mistake', () => {
  it.each<[title: string, packet: Packet, protocolVersion: ProtocolVersion]>([
    ['a string with U+0000', { ...CONNECT, clientId: '\0' }, Mqtt311],
    ['a string with half a surrogate pair', { ...CONNECT, clientId: '\ud800' }, Mqtt311],
    ['a Keep Alive of 65,536 s', { ...CONNECT, keepAliveSeconds: 65_536 }, Mqtt311],
    ['a Keep Alive of half a second', { ...CONNECT, keepAliveSeconds: 0.5 }, Mqtt311],
    ['[3.1.1 MQTT-3.1.2-22] a password without a user name', { ...CONNECT, password: new Uint8Array(0) }, Mqtt311],
    ['a CONNECT in another version than its own', CONNECT, Mqtt5],
    ['Receive Maximum 0', { ...CONNECT, protocolVersion: Mqtt5, properties: { receiveMaximum: 0 } }, Mqtt5],
    ['Maximum Packet Size 0', { ...CONNECT, protocolVersion: Mqtt5, properties: { maximumPacketSize: 0 } }, Mqtt5],
    [
      'Session Expiry Interval 2^32',
      { ...CONNECT, protocolVersion: Mqtt5, properties: { sessionExpiryInterval: 2 ** 32 } },
      Mqtt5
    ],
    ['Topic Alias 0', { ...PUBLISH, properties: { topicAlias: 0 } }, Mqtt5],
    ['Subscription Identifier 0', { ...PUBLISH, properties: { subscriptionIdentifiers: [0] } }, Mqtt5],
    ['Subscription Identifier 2^28', { ...PUBLISH, properties: { subscriptionIdentifiers: [2 ** 28] } }, Mqtt5],
    ['[5.0 MQTT-3.3.1-2] DUP at QoS 0', { ...PUBLISH, dup: true }, Mqtt5],
    ['[5.0 MQTT-2.2.1-2] a Packet Identifier at QoS 0', { ...PUBLISH, packetIdentifier: 1 }, Mqtt5],
    ['[5.0 MQTT-2.2.1-3] Packet Identifier 0 at QoS 1', { ...PUBLISH, qos: 1 }, Mqtt5],
    ['an empty Topic Name without a Topic Alias', { ...PUBLISH, topicName: '' }, Mqtt5],
    ['an empty Topic Name on 3.1.1', { ...PUBLISH, topicName: '', properties: { topicAlias: 1 } }, Mqtt311],
    ['a packet above 268,435,455 bytes', { ...PUBLISH, payload: new Uint8Array(268_435_453) }, Mqtt311],
    [
      'a CONNACK Reason Code that is not a return code',
      { type: PacketType.Connack, sessionPresent: false, reasonCode: ReasonCode.NotAuthorized, properties: NO_PROPERTIES },
      Mqtt311
    ],
    [
      '[5.0 MQTT-3.8.3-2] a SUBSCRIBE of nothing',
      { type: PacketType.Subscribe, packetIdentifier: 1, subscriptions: [], properties: NO_PROPERTIES },
      Mqtt5
    ],
    [
      '[5.0 MQTT-3.10.3-2] an UNSUBSCRIBE from nothing',
      { type: PacketType.Unsubscribe, packetIdentifier: 1, topicFilters: [], properties: NO_PROPERTIES },
      Mqtt5
    ],
    ['a SUBACK of nothing', { type: PacketType.Suback, packetIdentifier: 1, reasonCodes: [], properties: NO_PROPERTIES }, Mqtt5],
    [
      'an UNSUBACK of nothing',
      { type: PacketType.Unsuback, packetIdentifier: 1, reasonCodes: [], properties: NO_PROPERTIES },
      Mqtt5
    ],
    ['an AUTH on 3.1.1', { type: PacketType.Auth, reasonCode: ReasonCode.Success, properties: NO_PROPERTIES }, Mqtt311],
    [
      'an AUTH without a method',
      { type: PacketType.Auth, reasonCode: ReasonCode.ContinueAuthentication, properties: NO_PROPERTIES },
      Mqtt5
    ]
  ])('%s', (_title, packet, protocolVersion) => {
    expect(() => encodePacket(packet, protocolVersion)).toThrow(RangeError)
    // And the next packet is none the worse for it.
    expect(encodePacket({ type: PacketType.Pingreq }, protocolVersion)).toEqual(bytes('c0 00'))
  })

  it.each<[title: string, packet: Packet]>([
    ['a string of 65,536 bytes', { ...CONNECT, clientId: 'x'.repeat(65_536) }],
    ['a string of 65,536 bytes in 32,768 characters', { ...CONNECT, clientId: 'ü'.repeat(32_768) }],
    ['a password of 65,536 bytes', { ...CONNECT, userName: 'u', password: new Uint8Array(65_536) }]
  ])('%s', (_title, packet) => {
    expect(() => encodePacket(packet, Mqtt311)).toThrow(/is longer than 65,535 bytes/)
  })

  it('a property of another packet', () => {
    const properties = { topicAlias: 1, reasonString: 'x' }
    const puback = { type: PacketType.Puback, packetIdentifier: 1, reasonCode: ReasonCode.Success, properties }
    expect(() => encodePacket(puback, Mqtt5)).toThrow(new RangeError('topicAlias is not a property of this packet'))
  })
})
