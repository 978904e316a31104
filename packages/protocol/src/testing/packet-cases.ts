import { PacketType } from '../packet-type.ts'
import type { Packet } from '../packet.ts'
import { RetainHandling } from '../packets/subscribe.ts'
import { NO_PROPERTIES } from '../properties.ts'
import { ProtocolVersion } from '../protocol-version.ts'
import { ReasonCode } from '../reason-codes.ts'
import { bytes, concat } from './bytes.ts'

/** A packet and its bytes, written down by hand. */
export interface PacketCase {
  readonly title: string
  readonly protocolVersion: ProtocolVersion
  readonly packet: Packet
  readonly bytes: Uint8Array
  /** Not the shortest form: it decodes to `packet`, and `packet` encodes otherwise. */
  readonly decodeOnly?: true
}

const { Mqtt31, Mqtt311, Mqtt5 } = ProtocolVersion
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

const CONNECT = {
  type: PacketType.Connect,
  cleanStart: true,
  keepAliveSeconds: 60,
  clientId: 'c',
  will: undefined,
  userName: undefined,
  password: undefined,
  properties: NO_PROPERTIES
} as const

const PUBLISH = {
  type: PacketType.Publish,
  topicName: 'a/b',
  payload: text('hi'),
  qos: 0,
  retain: false,
  dup: false,
  packetIdentifier: 0,
  properties: NO_PROPERTIES
} as const

const SUBSCRIPTION = {
  topicFilter: 'a/+',
  qos: 0,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: RetainHandling.SendAtSubscribe
} as const

const ALL_VERSIONS = [Mqtt31, Mqtt311, Mqtt5] as const
const NAMES = { [Mqtt31]: '3.1', [Mqtt311]: '3.1.1', [Mqtt5]: '5.0' } as const

const connectCases: readonly PacketCase[] = [
  {
    title: 'CONNECT, the least of it, on 3.1',
    protocolVersion: Mqtt31,
    packet: { ...CONNECT, protocolVersion: Mqtt31 },
    bytes: bytes("10 0f 0006 'MQIsdp' 03 02 003c 0001 'c'")
  },
  {
    title: 'CONNECT, the least of it, on 3.1.1',
    protocolVersion: Mqtt311,
    packet: { ...CONNECT, protocolVersion: Mqtt311 },
    bytes: bytes("10 0d 0004 'MQTT' 04 02 003c 0001 'c'")
  },
  {
    title: 'CONNECT, the least of it, on 5.0',
    protocolVersion: Mqtt5,
    packet: { ...CONNECT, protocolVersion: Mqtt5 },
    bytes: bytes("10 0e 0004 'MQTT' 05 02 003c 00 0001 'c'")
  },
  {
    title: 'CONNECT without a client identifier, to go on with a session, keep alive off',
    protocolVersion: Mqtt5,
    packet: { ...CONNECT, protocolVersion: Mqtt5, clientId: '', cleanStart: false, keepAliveSeconds: 0 },
    bytes: bytes("10 0d 0004 'MQTT' 05 00 0000 00 0000")
  },
  {
    title: 'CONNECT with everything on 3.1',
    protocolVersion: Mqtt31,
    packet: {
      ...CONNECT,
      protocolVersion: Mqtt31,
      keepAliveSeconds: 0xffff,
      will: { topicName: 'w', payload: text('gone'), qos: 1, retain: true, properties: NO_PROPERTIES },
      userName: 'u',
      password: text('p')
    },
    bytes: bytes("10 1e 0006 'MQIsdp' 03 ee ffff 0001 'c' 0001 'w' 0004 'gone' 0001 'u' 0001 'p'")
  },
  {
    title: 'CONNECT with everything on 3.1.1',
    protocolVersion: Mqtt311,
    packet: {
      ...CONNECT,
      protocolVersion: Mqtt311,
      cleanStart: false,
      will: { topicName: 'w', payload: new Uint8Array(0), qos: 2, retain: false, properties: NO_PROPERTIES },
      userName: '',
      password: new Uint8Array(0)
    },
    bytes: bytes("10 16 0004 'MQTT' 04 d4 003c 0001 'c' 0001 'w' 0000 0000 0000")
  },
  {
    title: 'CONNECT with every property on 5.0',
    protocolVersion: Mqtt5,
    packet: {
      ...CONNECT,
      protocolVersion: Mqtt5,
      will: {
        topicName: 'w',
        payload: text('gone'),
        qos: 2,
        retain: true,
        properties: {
          messageExpiryInterval: 127,
          willDelayInterval: 0xffff_ffff,
          payloadFormatIndicator: 1,
          contentType: 't',
          responseTopic: 'r',
          correlationData: bytes('00 ff'),
          userProperties: [['k', 'v']]
        }
      },
      userName: 'u',
      password: text('p'),
      properties: {
        sessionExpiryInterval: 0xffff_ffff,
        receiveMaximum: 65_535,
        maximumPacketSize: 1,
        topicAliasMaximum: 128,
        requestResponseInformation: true,
        requestProblemInformation: false,
        userProperties: [
          ['k', '1'],
          ['k', '2'],
          ['', '']
        ],
        authenticationMethod: 'm',
        authenticationData: bytes('01')
      }
    },
    bytes: concat(
      bytes("10 6d 0004 'MQTT' 05 f6 003c"),
      bytes("2f 11 ffffffff 21 ffff 27 00000001 22 0080 19 01 17 00 26 0001 'k' 0001 '1' 26 0001 'k' 0001 '2' 26 0000 0000"),
      bytes("15 0001 'm' 16 0001 01 0001 'c'"),
      bytes("20 02 0000007f 18 ffffffff 01 01 03 0001 't' 08 0001 'r' 09 0002 00ff 26 0001 'k' 0001 'v'"),
      bytes("0001 'w' 0004 'gone' 0001 'u' 0001 'p'")
    )
  },
  {
    title: 'CONNECT with a password but no user name, which 5.0 allows',
    protocolVersion: Mqtt5,
    packet: { ...CONNECT, protocolVersion: Mqtt5, password: text('p') },
    bytes: bytes("10 11 0004 'MQTT' 05 42 003c 00 0001 'c' 0001 'p'")
  },
  {
    title: 'CONNECT of 3.1 whose user name and password are announced and missing [3.1 3.1]',
    protocolVersion: Mqtt31,
    packet: { ...CONNECT, protocolVersion: Mqtt31 },
    bytes: bytes("10 0f 0006 'MQIsdp' 03 c2 003c 0001 'c'"),
    decodeOnly: true
  },
  {
    title: 'CONNECT of 3.1 with flags that 3.1 does not use',
    protocolVersion: Mqtt31,
    packet: { ...CONNECT, protocolVersion: Mqtt31 },
    bytes: bytes("1f 0f 0006 'MQIsdp' 03 3b 003c 0001 'c'"),
    decodeOnly: true
  },
  {
    title: 'CONNECT of 3.1.1 whose Remaining Length is padded',
    protocolVersion: Mqtt311,
    packet: { ...CONNECT, protocolVersion: Mqtt311 },
    bytes: bytes("10 8d808000 0004 'MQTT' 04 02 003c 0001 'c'"),
    decodeOnly: true
  }
]

const connackCases: readonly PacketCase[] = [
  {
    title: 'CONNACK on 3.1',
    protocolVersion: Mqtt31,
    packet: { type: PacketType.Connack, sessionPresent: false, reasonCode: 0x05, properties: NO_PROPERTIES },
    bytes: bytes('20 02 00 05')
  },
  {
    title: 'CONNACK of 3.1 whose first byte 3.1 does not use',
    protocolVersion: Mqtt31,
    packet: { type: PacketType.Connack, sessionPresent: false, reasonCode: 0x00, properties: NO_PROPERTIES },
    bytes: bytes('20 02 ff 00'),
    decodeOnly: true
  },
  {
    title: 'CONNACK with a session on 3.1.1',
    protocolVersion: Mqtt311,
    packet: { type: PacketType.Connack, sessionPresent: true, reasonCode: 0x00, properties: NO_PROPERTIES },
    bytes: bytes('20 02 01 00')
  },
  {
    title: 'CONNACK without properties on 5.0',
    protocolVersion: Mqtt5,
    packet: {
      type: PacketType.Connack,
      sessionPresent: false,
      reasonCode: ReasonCode.UnsupportedProtocolVersion,
      properties: NO_PROPERTIES
    },
    bytes: bytes('20 03 00 84 00')
  },
  {
    title: 'CONNACK with every property on 5.0',
    protocolVersion: Mqtt5,
    packet: {
      type: PacketType.Connack,
      sessionPresent: true,
      reasonCode: ReasonCode.Success,
      properties: {
        sessionExpiryInterval: 0,
        receiveMaximum: 1,
        maximumQoS: 1,
        retainAvailable: false,
        maximumPacketSize: 0xffff_ffff,
        assignedClientIdentifier: 'id',
        topicAliasMaximum: 0,
        reasonString: 'ok',
        userProperties: [['k', 'v']],
        wildcardSubscriptionAvailable: true,
        subscriptionIdentifiersAvailable: false,
        sharedSubscriptionAvailable: true,
        serverKeepAlive: 65_535,
        responseInformation: 'ri',
        serverReference: 'sr',
        authenticationMethod: 'm',
        authenticationData: new Uint8Array(0)
      }
    },
    bytes: concat(
      bytes("20 42 01 00 3f 11 00000000 21 0001 24 01 25 00 27 ffffffff 12 0002 'id' 22 0000 1f 0002 'ok'"),
      bytes("26 0001 'k' 0001 'v' 28 01 29 00 2a 01 13 ffff 1a 0002 'ri' 1c 0002 'sr' 15 0001 'm' 16 0000")
    )
  }
]

const publishCases: readonly PacketCase[] = [
  ...([Mqtt31, Mqtt311] as const).flatMap((protocolVersion): PacketCase[] => [
    {
      title: `PUBLISH at QoS 0 on ${NAMES[protocolVersion]}`,
      protocolVersion,
      packet: PUBLISH,
      bytes: bytes("30 07 0003 'a/b' 'hi'")
    },
    {
      title: `PUBLISH at QoS 2, again and retained, on ${NAMES[protocolVersion]}`,
      protocolVersion,
      packet: { ...PUBLISH, qos: 2, dup: true, retain: true, packetIdentifier: 65_535 },
      bytes: bytes("3d 09 0003 'a/b' ffff 'hi'")
    }
  ]),
  {
    title: 'PUBLISH of 3.1 with DUP at QoS 0, which has no meaning there',
    protocolVersion: Mqtt31,
    packet: PUBLISH,
    bytes: bytes("38 07 0003 'a/b' 'hi'"),
    decodeOnly: true
  },
  {
    title: 'PUBLISH at QoS 0 on 5.0',
    protocolVersion: Mqtt5,
    packet: PUBLISH,
    bytes: bytes("30 08 0003 'a/b' 00 'hi'")
  },
  {
    title: 'PUBLISH at QoS 1 without a payload on 5.0',
    protocolVersion: Mqtt5,
    packet: { ...PUBLISH, qos: 1, packetIdentifier: 1, payload: new Uint8Array(0) },
    bytes: bytes("32 08 0003 'a/b' 0001 00")
  },
  {
    title: 'PUBLISH with every property that a client may send',
    protocolVersion: Mqtt5,
    packet: {
      ...PUBLISH,
      qos: 2,
      packetIdentifier: 128,
      properties: {
        messageExpiryInterval: 0,
        payloadFormatIndicator: 0,
        topicAlias: 65_535,
        responseTopic: 'r',
        correlationData: bytes('00'),
        userProperties: [
          ['k', 'v'],
          ['k', 'v']
        ],
        contentType: ''
      }
    },
    bytes: concat(
      bytes("34 2d 0003 'a/b' 0080 23 02 00000000 01 00 23 ffff 08 0001 'r' 09 0001 00"),
      bytes("26 0001 'k' 0001 'v' 26 0001 'k' 0001 'v' 03 0000 'hi'")
    )
  },
  {
    title: 'PUBLISH with Subscription Identifiers',
    protocolVersion: Mqtt5,
    packet: { ...PUBLISH, properties: { subscriptionIdentifiers: [1, 127, 128, 268_435_455] } },
    bytes: bytes("30 14 0003 'a/b' 0c 0b 01 0b 7f 0b 8001 0b ffffff7f 'hi'")
  },
  {
    title: 'PUBLISH with a Topic Alias instead of a Topic Name',
    protocolVersion: Mqtt5,
    packet: { ...PUBLISH, topicName: '', properties: { topicAlias: 1 } },
    bytes: bytes("30 08 0000 03 23 0001 'hi'")
  },
  {
    title: 'PUBLISH with a Topic Name of several scripts and U+FEFF',
    protocolVersion: Mqtt311,
    packet: { ...PUBLISH, topicName: '\ufeffä/水/😀' },
    bytes: bytes("30 12 000e efbbbf c3a4 '/' e6b0b4 '/' f09f9880 'hi'")
  },
  ...[127, 128, 16_383, 16_384, 2_097_151, 2_097_152].map((remainingLength): PacketCase => {
    const lengths: Readonly<Record<number, string>> = {
      127: '7f',
      128: '8001',
      16_383: 'ff7f',
      16_384: '808001',
      2_097_151: 'ffff7f',
      2_097_152: '80808001'
    }
    const payload = new Uint8Array(remainingLength - 5).fill(0x2a)
    return {
      title: `PUBLISH with a Remaining Length of ${remainingLength}`,
      protocolVersion: Mqtt311,
      packet: { ...PUBLISH, payload },
      bytes: concat(bytes(`30 ${lengths[remainingLength]} 0003 'a/b'`), payload)
    }
  }),
  {
    title: 'PUBLISH with a property length of two bytes',
    protocolVersion: Mqtt5,
    packet: { ...PUBLISH, properties: { contentType: 'x'.repeat(125) } },
    bytes: bytes(`30 8901 0003 'a/b' 8001 03 007d '${'x'.repeat(125)}' 'hi'`)
  },
  {
    title: 'PUBLISH with the longest Topic Name',
    protocolVersion: Mqtt311,
    packet: { ...PUBLISH, topicName: 'x'.repeat(65_535) },
    bytes: bytes(`30 838004 ffff '${'x'.repeat(65_535)}' 'hi'`)
  }
]

const WITHOUT_REASON = { packetIdentifier: 0x1234, reasonCode: ReasonCode.Success, properties: NO_PROPERTIES } as const
const FAILED_RELEASE = { ...WITHOUT_REASON, reasonCode: ReasonCode.PacketIdentifierNotFound } as const
const WITH_PROPERTIES = { reasonString: 'why', userProperties: [['k', 'v']] } as const

const acknowledgementCases: readonly PacketCase[] = [
  ...acknowledgement('40', 'PUBACK', { type: PacketType.Puback, ...WITHOUT_REASON }),
  ...acknowledgement('50', 'PUBREC', { type: PacketType.Pubrec, ...WITHOUT_REASON }),
  ...acknowledgement('62', 'PUBREL', { type: PacketType.Pubrel, ...WITHOUT_REASON }),
  ...acknowledgement('70', 'PUBCOMP', { type: PacketType.Pubcomp, ...WITHOUT_REASON }),
  {
    title: 'PUBACK with a failure',
    protocolVersion: Mqtt5,
    packet: { type: PacketType.Puback, ...WITHOUT_REASON, reasonCode: ReasonCode.QuotaExceeded },
    bytes: bytes('40 03 1234 97')
  },
  {
    title: 'PUBREC with a failure and properties',
    protocolVersion: Mqtt5,
    packet: {
      type: PacketType.Pubrec,
      ...WITHOUT_REASON,
      reasonCode: ReasonCode.NotAuthorized,
      properties: WITH_PROPERTIES
    },
    bytes: bytes("50 11 1234 87 0d 1f 0003 'why' 26 0001 'k' 0001 'v'")
  },
  {
    title: 'PUBREL with a failure',
    protocolVersion: Mqtt5,
    packet: { type: PacketType.Pubrel, ...FAILED_RELEASE },
    bytes: bytes('62 03 1234 92')
  },
  {
    title: 'PUBCOMP with success and properties',
    protocolVersion: Mqtt5,
    packet: { type: PacketType.Pubcomp, ...WITHOUT_REASON, properties: WITH_PROPERTIES },
    bytes: bytes("70 11 1234 00 0d 1f 0003 'why' 26 0001 'k' 0001 'v'")
  }
]

function acknowledgement(firstByte: string, name: string, packet: Packet): readonly PacketCase[] {
  return [
    ...ALL_VERSIONS.map((protocolVersion) => ({
      title: `${name} on ${NAMES[protocolVersion]}`,
      protocolVersion,
      packet,
      bytes: bytes(`${firstByte} 02 1234`)
    })),
    {
      title: `${name} with a Reason Code that could be left out`,
      protocolVersion: Mqtt5,
      packet,
      bytes: bytes(`${firstByte} 03 1234 00`),
      decodeOnly: true
    },
    {
      title: `${name} with a Property Length that could be left out`,
      protocolVersion: Mqtt5,
      packet,
      bytes: bytes(`${firstByte} 04 1234 00 00`),
      decodeOnly: true
    }
  ]
}

const subscribeCases: readonly PacketCase[] = [
  ...([Mqtt31, Mqtt311] as const).map((protocolVersion): PacketCase => ({
    title: `SUBSCRIBE on ${NAMES[protocolVersion]}`,
    protocolVersion,
    packet: {
      type: PacketType.Subscribe,
      packetIdentifier: 1,
      subscriptions: [SUBSCRIPTION, { ...SUBSCRIPTION, topicFilter: '#', qos: 2 }],
      properties: NO_PROPERTIES
    },
    bytes: bytes("82 0c 0001 0003 'a/+' 00 0001 '#' 02")
  })),
  {
    title: 'SUBSCRIBE of 3.1, again: with DUP',
    protocolVersion: Mqtt31,
    packet: {
      type: PacketType.Subscribe,
      packetIdentifier: 1,
      subscriptions: [{ ...SUBSCRIPTION, qos: 1 }],
      properties: NO_PROPERTIES
    },
    bytes: bytes("8a 08 0001 0003 'a/+' fd"),
    decodeOnly: true
  },
  {
    title: 'SUBSCRIBE with every option on 5.0',
    protocolVersion: Mqtt5,
    packet: {
      type: PacketType.Subscribe,
      packetIdentifier: 65_535,
      subscriptions: [
        SUBSCRIPTION,
        { ...SUBSCRIPTION, qos: 1, noLocal: true },
        { ...SUBSCRIPTION, qos: 2, retainAsPublished: true, retainHandling: RetainHandling.SendIfNew },
        { ...SUBSCRIPTION, topicFilter: '$share/g/a', retainHandling: RetainHandling.DoNotSend }
      ],
      properties: { subscriptionIdentifier: 268_435_455, userProperties: [['k', 'v']] }
    },
    bytes: concat(
      bytes("82 2e ffff 0c 0b ffffff7f 26 0001 'k' 0001 'v'"),
      bytes("0003 'a/+' 00 0003 'a/+' 05 0003 'a/+' 1a 000a '$share/g/a' 20")
    )
  },
  {
    title: 'SUBSCRIBE with what is not a Topic Filter: SUBACK is the place to say so',
    protocolVersion: Mqtt5,
    packet: {
      type: PacketType.Subscribe,
      packetIdentifier: 1,
      subscriptions: [
        { ...SUBSCRIPTION, topicFilter: '' },
        { ...SUBSCRIPTION, topicFilter: 'a/#/b' }
      ],
      properties: NO_PROPERTIES
    },
    bytes: bytes("82 0e 0001 00 0000 00 0005 'a/#/b' 00")
  },
  ...([Mqtt31, Mqtt311] as const).map((protocolVersion): PacketCase => ({
    title: `SUBACK on ${NAMES[protocolVersion]}`,
    protocolVersion,
    packet: { type: PacketType.Suback, packetIdentifier: 1, reasonCodes: [0, 1, 2, 0x80], properties: NO_PROPERTIES },
    bytes: bytes('90 06 0001 00 01 02 80')
  })),
  {
    title: 'SUBACK on 5.0',
    protocolVersion: Mqtt5,
    packet: {
      type: PacketType.Suback,
      packetIdentifier: 1,
      reasonCodes: [ReasonCode.GrantedQoS2, ReasonCode.WildcardSubscriptionsNotSupported],
      properties: { reasonString: '', userProperties: [['', '']] }
    },
    bytes: bytes('90 0d 0001 08 1f 0000 26 0000 0000 02 a2')
  },
  ...([Mqtt31, Mqtt311] as const).map((protocolVersion): PacketCase => ({
    title: `UNSUBSCRIBE on ${NAMES[protocolVersion]}`,
    protocolVersion,
    packet: { type: PacketType.Unsubscribe, packetIdentifier: 2, topicFilters: ['a', 'b/#'], properties: NO_PROPERTIES },
    bytes: bytes("a2 0a 0002 0001 'a' 0003 'b/#'")
  })),
  {
    title: 'UNSUBSCRIBE on 5.0',
    protocolVersion: Mqtt5,
    packet: {
      type: PacketType.Unsubscribe,
      packetIdentifier: 2,
      topicFilters: ['a'],
      properties: { userProperties: [['k', 'v']] }
    },
    bytes: bytes("a2 0d 0002 07 26 0001 'k' 0001 'v' 0001 'a'")
  },
  ...([Mqtt31, Mqtt311] as const).map((protocolVersion): PacketCase => ({
    title: `UNSUBACK on ${NAMES[protocolVersion]}`,
    protocolVersion,
    packet: { type: PacketType.Unsuback, packetIdentifier: 2, reasonCodes: [], properties: NO_PROPERTIES },
    bytes: bytes('b0 02 0002')
  })),
  {
    title: 'UNSUBACK on 5.0',
    protocolVersion: Mqtt5,
    packet: {
      type: PacketType.Unsuback,
      packetIdentifier: 2,
      reasonCodes: [ReasonCode.Success, ReasonCode.NoSubscriptionExisted, ReasonCode.TopicFilterInvalid],
      properties: { reasonString: 'x' }
    },
    bytes: bytes("b0 0a 0002 04 1f 0001 'x' 00 11 8f")
  }
]

const otherCases: readonly PacketCase[] = [
  ...ALL_VERSIONS.flatMap((protocolVersion): readonly PacketCase[] => [
    {
      title: `PINGREQ on ${NAMES[protocolVersion]}`,
      protocolVersion,
      packet: { type: PacketType.Pingreq },
      bytes: bytes('c0 00')
    },
    {
      title: `PINGRESP on ${NAMES[protocolVersion]}`,
      protocolVersion,
      packet: { type: PacketType.Pingresp },
      bytes: bytes('d0 00')
    },
    {
      title: `DISCONNECT on ${NAMES[protocolVersion]}`,
      protocolVersion,
      packet: { type: PacketType.Disconnect, reasonCode: ReasonCode.NormalDisconnection, properties: NO_PROPERTIES },
      bytes: bytes('e0 00')
    }
  ]),
  {
    title: 'DISCONNECT with Will Message',
    protocolVersion: Mqtt5,
    packet: { type: PacketType.Disconnect, reasonCode: ReasonCode.DisconnectWithWillMessage, properties: NO_PROPERTIES },
    bytes: bytes('e0 01 04')
  },
  {
    title: 'DISCONNECT with every property',
    protocolVersion: Mqtt5,
    packet: {
      type: PacketType.Disconnect,
      reasonCode: ReasonCode.NormalDisconnection,
      properties: { sessionExpiryInterval: 1, reasonString: 'r', userProperties: [['k', 'v']], serverReference: 's' }
    },
    bytes: bytes("e0 16 00 14 11 00000001 1f 0001 'r' 26 0001 'k' 0001 'v' 1c 0001 's'")
  },
  {
    title: 'DISCONNECT with a Property Length that could be left out',
    protocolVersion: Mqtt5,
    packet: { type: PacketType.Disconnect, reasonCode: ReasonCode.NormalDisconnection, properties: NO_PROPERTIES },
    bytes: bytes('e0 02 00 00'),
    decodeOnly: true
  },
  {
    title: 'AUTH of a server that is satisfied',
    protocolVersion: Mqtt5,
    packet: { type: PacketType.Auth, reasonCode: ReasonCode.Success, properties: NO_PROPERTIES },
    bytes: bytes('f0 00')
  },
  {
    title: 'AUTH with every property',
    protocolVersion: Mqtt5,
    packet: {
      type: PacketType.Auth,
      reasonCode: ReasonCode.ContinueAuthentication,
      properties: {
        authenticationMethod: 'm',
        authenticationData: bytes('00 01'),
        reasonString: 'r',
        userProperties: [['k', 'v']]
      }
    },
    bytes: bytes("f0 16 18 14 15 0001 'm' 16 0002 0001 1f 0001 'r' 26 0001 'k' 0001 'v'")
  }
]

/** Every packet in every version that has it, both directions. */
export const packetCases: readonly PacketCase[] = [
  ...connectCases,
  ...connackCases,
  ...publishCases,
  ...acknowledgementCases,
  ...subscribeCases,
  ...otherCases
]
