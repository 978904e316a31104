import { describe, expect, it } from 'vitest'
import { ProtocolVersion } from './protocol-version.ts'
import { ReasonCode } from './reason-codes.ts'
import type { Receiver } from './receiver.ts'
import { bytes, concat } from './testing/bytes.ts'
import { byteByByte, decodeChunks, decodeOne } from './testing/decode.ts'

const { Mqtt31, Mqtt311, Mqtt5 } = ProtocolVersion
const { MalformedPacket, ProtocolError, TopicAliasInvalid, TopicNameInvalid } = ReasonCode

type Row = readonly [title: string, packet: string, reasonCode?: ReasonCode]

/** `'10 ?? ...'`: the Remaining Length is counted, so that the rows show what they are about. */
function packet(notation: string): Uint8Array {
  const [firstByte = '', body] = notation.split(' ?? ')
  if (body === undefined) return bytes(notation)
  const content = bytes(body)
  if (content.length > 127) throw new TypeError(`Too long for one byte of Remaining Length: ${notation}`)
  return concat(bytes(firstByte), Uint8Array.of(content.length), content)
}

function refuses(
  receiver: Receiver,
  protocolVersion: ProtocolVersion | undefined,
  byDefault: ReasonCode,
  rows: readonly Row[]
): void {
  const cases = rows.map(([title, notation, reasonCode = byDefault]) => ({ title, notation, reasonCode }))
  it.each(cases)('$title: $notation', ({ notation, reasonCode }) => {
    const refused = packet(notation)
    const connection = { receiver, protocolVersion }
    expect(decodeOne(connection, refused)).toMatchObject({ packets: [], reasonCode })
    expect(decodeChunks(connection, byteByByte(refused))).toMatchObject({ packets: [], reasonCode })
  })
}

/** A CONNECT of 5.0 with these properties; its Property Length is counted too. */
function connect5(properties: string): string {
  return `10 ?? 0004 'MQTT' 05 02 003c ${counted(properties)} 0001 'c'`
}

function connectWithWill(willProperties: string): string {
  return `10 ?? 0004 'MQTT' 05 06 003c 00 0001 'c' ${counted(willProperties)} 0001 'w' 0000`
}

function counted(properties: string): string {
  return `${bytes(properties).length.toString(16).padStart(2, '0')} ${properties}`
}

const twice = (property: string): string => `${property} ${property}`
const connack = (properties: string): string => `20 ?? 00 00 ${counted(properties)}`
const publish = (properties: string): string => `30 ?? 0001 'a' ${counted(properties)}`
const subscribe = (properties: string): string => `82 ?? 0001 ${counted(properties)} 0001 'a' 00`

describe('CONNECT of 5.0', () => {
  refuses('server', undefined, ProtocolError, [
    ['[5.0 3.1.2.11.2] Session Expiry Interval twice', connect5(twice('11 00000001'))],
    ['[5.0 3.1.2.11.3] Receive Maximum twice', connect5(twice('21 0001'))],
    ['[5.0 3.1.2.11.3] Receive Maximum 0', connect5('21 0000')],
    ['[5.0 3.1.2.11.4] Maximum Packet Size twice', connect5(twice('27 00000001'))],
    ['[5.0 3.1.2.11.4] Maximum Packet Size 0', connect5('27 00000000')],
    ['[5.0 3.1.2.11.5] Topic Alias Maximum twice', connect5(twice('22 0001'))],
    ['[5.0 3.1.2.11.6] Request Response Information twice', connect5(twice('19 01'))],
    ['[5.0 3.1.2.11.6] Request Response Information neither 0 nor 1', connect5('19 02')],
    ['[5.0 3.1.2.11.7] Request Problem Information twice', connect5(twice('17 01'))],
    ['[5.0 3.1.2.11.7] Request Problem Information neither 0 nor 1', connect5('17 ff')],
    ['[5.0 3.1.2.11.9] Authentication Method twice', connect5(twice("15 0001 'm'"))],
    ['[5.0 3.1.2.11.10] Authentication Data without a method', connect5('16 0001 00')],
    ['[5.0 3.1.2.11.10] Authentication Data twice', connect5("15 0001 'm' 16 0000 16 0000")],
    ['[5.0 3.1.3.2.2] Will Delay Interval twice', connectWithWill(twice('18 00000001'))],
    ['[5.0 3.1.3.2.3] Payload Format Indicator twice', connectWithWill(twice('01 01'))],
    ['[5.0 3.1.3.2.3] Payload Format Indicator neither 0 nor 1', connectWithWill('01 02')],
    ['[5.0 3.1.3.2.4] Message Expiry Interval twice', connectWithWill(twice('02 00000001'))],
    ['[5.0 3.1.3.2.5] Content Type twice', connectWithWill(twice('03 0000'))],
    ['[5.0 3.1.3.2.6] Response Topic twice', connectWithWill(twice("08 0001 'r'"))],
    ['[5.0 MQTT-3.3.2-14] Response Topic with a wildcard', connectWithWill("08 0001 '#'")],
    ['[5.0 3.1.3.2.7] Correlation Data twice', connectWithWill(twice('09 0000'))],
    [
      '[5.0 MQTT-4.7.0-1] Will Topic with a wildcard',
      "10 ?? 0004 'MQTT' 05 06 003c 00 0001 'c' 00 0001 '+' 0000",
      TopicNameInvalid
    ],
    ['[5.0 MQTT-4.7.3-1] Will Topic empty', "10 ?? 0004 'MQTT' 05 06 003c 00 0001 'c' 00 0000 0000", TopicNameInvalid]
  ])

  refuses('server', undefined, MalformedPacket, [
    ['[5.0 MQTT-2.1.3-1] reserved fixed header flags', "11 ?? 0004 'MQTT' 05 02 003c 00 0001 'c'"],
    ['[5.0 MQTT-1.5.5-1] padded Remaining Length', "10 8e00 0004 'MQTT' 05 02 003c 00 0001 'c'"],
    ['[5.0 MQTT-3.1.2-3] reserved Connect Flag', "10 ?? 0004 'MQTT' 05 03 003c 00 0001 'c'"],
    ['[5.0 MQTT-3.1.2-11] Will QoS without Will Flag', "10 ?? 0004 'MQTT' 05 0a 003c 00 0001 'c'"],
    ['[5.0 MQTT-3.1.2-12] Will QoS 3', "10 ?? 0004 'MQTT' 05 1e 003c 00 0001 'c' 00 0001 'w' 0000"],
    ['[5.0 MQTT-3.1.2-13] Will Retain without Will Flag', "10 ?? 0004 'MQTT' 05 22 003c 00 0001 'c'"],
    ['[5.0 MQTT-3.1.2-9] Will Flag without a will', "10 ?? 0004 'MQTT' 05 06 003c 00 0001 'c'"],
    ['[5.0 MQTT-3.1.2-17] User Name Flag without a user name', "10 ?? 0004 'MQTT' 05 82 003c 00 0001 'c'"],
    ['[5.0 MQTT-3.1.2-16] user name without User Name Flag', "10 ?? 0004 'MQTT' 05 02 003c 00 0001 'c' 0001 'u'"],
    ['[5.0 MQTT-3.1.2-19] Password Flag without a password', "10 ?? 0004 'MQTT' 05 42 003c 00 0001 'c'"],
    ['[5.0 MQTT-3.1.2-18] password without Password Flag', "10 ?? 0004 'MQTT' 05 82 003c 00 0001 'c' 0001 'u' 0001 'p'"],
    ['[5.0 MQTT-3.1.3-3] no client identifier', "10 ?? 0004 'MQTT' 05 02 003c 00"],
    ['[5.0 MQTT-3.1.3-4] client identifier of ill-formed UTF-8', "10 ?? 0004 'MQTT' 05 02 003c 00 0001 ff"],
    ['[5.0 MQTT-3.1.3-11] Will Topic of ill-formed UTF-8', "10 ?? 0004 'MQTT' 05 06 003c 00 0001 'c' 00 0001 80 0000"],
    ['[5.0 MQTT-3.1.3-12] user name of ill-formed UTF-8', "10 ?? 0004 'MQTT' 05 82 003c 00 0001 'c' 0002 c080"],
    ['[5.0 MQTT-2.2.2-1] no Property Length', "10 ?? 0004 'MQTT' 05 02 003c"],
    ['[5.0 2.2.2.1] Property Length beyond the packet', "10 ?? 0004 'MQTT' 05 02 003c 7f 0001 'c'"],
    ['[5.0 2.2.2.2] property of another packet', connect5('24 01')],
    ['[5.0 2.2.2.2] property of the will outside it', connect5('18 00000001')],
    ['[5.0 2.2.2.2] property of CONNECT among the Will Properties', connectWithWill('11 00000001')],
    ['[5.0 2.2.2.2] property that does not exist', connect5('00')],
    ['[5.0 2.2.2.2] property identifier of two bytes', connect5('8001 00')],
    ['[5.0 2.2.2.2] property longer than the properties', connect5('11 0000')],
    ['[5.0 MQTT-1.5.7-1] User Property with half a name', connect5("26 0001 'k' 0001 c3")]
  ])
})

describe('CONNECT of 3.1.1', () => {
  refuses('server', undefined, MalformedPacket, [
    ['[3.1.1 MQTT-2.2.2-2] reserved fixed header flags', "18 ?? 0004 'MQTT' 04 02 003c 0001 'c'"],
    ['[3.1.1 MQTT-3.1.2-3] reserved Connect Flag', "10 ?? 0004 'MQTT' 04 03 003c 0001 'c'"],
    ['[3.1.1 MQTT-3.1.2-13] Will QoS without Will Flag', "10 ?? 0004 'MQTT' 04 12 003c 0001 'c'"],
    ['[3.1.1 MQTT-3.1.2-14] Will QoS 3', "10 ?? 0004 'MQTT' 04 1e 003c 0001 'c' 0001 'w' 0000"],
    ['[3.1.1 MQTT-3.1.2-15] Will Retain without Will Flag', "10 ?? 0004 'MQTT' 04 22 003c 0001 'c'"],
    ['[3.1.1 MQTT-3.1.2-9] Will Flag without a will', "10 ?? 0004 'MQTT' 04 06 003c 0001 'c'"],
    ['[3.1.1 MQTT-3.1.2-11] will without Will Flag', "10 ?? 0004 'MQTT' 04 02 003c 0001 'c' 0001 'w' 0000"],
    ['[3.1.1 MQTT-3.1.2-18] user name without User Name Flag', "10 ?? 0004 'MQTT' 04 02 003c 0001 'c' 0001 'u'"],
    ['[3.1.1 MQTT-3.1.2-19] User Name Flag without a user name', "10 ?? 0004 'MQTT' 04 82 003c 0001 'c'"],
    ['[3.1.1 MQTT-3.1.2-20] password without Password Flag', "10 ?? 0004 'MQTT' 04 82 003c 0001 'c' 0001 'u' 0001 'p'"],
    ['[3.1.1 MQTT-3.1.2-21] Password Flag without a password', "10 ?? 0004 'MQTT' 04 c2 003c 0001 'c' 0001 'u'"],
    ['[3.1.1 MQTT-3.1.2-22] password without user name', "10 ?? 0004 'MQTT' 04 42 003c 0001 'c' 0001 'p'"],
    ['[3.1.1 MQTT-3.1.3-3] no client identifier', "10 ?? 0004 'MQTT' 04 02 003c"],
    ['[3.1.1 MQTT-3.1.3-4] client identifier with a surrogate', "10 ?? 0004 'MQTT' 04 02 003c 0003 eda080"],
    ['[3.1.1 MQTT-3.1.3-10] Will Topic of ill-formed UTF-8', "10 ?? 0004 'MQTT' 04 06 003c 0001 'c' 0001 ff 0000"],
    ['[3.1.1 MQTT-3.1.3-11] user name with U+0000', "10 ?? 0004 'MQTT' 04 82 003c 0001 'c' 0001 00"]
  ])

  refuses('server', undefined, MalformedPacket, [
    ['[3.1 3.1] password without user name', "10 ?? 0006 'MQIsdp' 03 42 003c 0001 'c' 0001 'p'"],
    ['[3.1 3.1] Will QoS 3', "10 ?? 0006 'MQIsdp' 03 1e 003c 0001 'c' 0001 'w' 0000"]
  ])
})

describe('CONNACK', () => {
  refuses('client', Mqtt5, ProtocolError, [
    ['[5.0 3.2.2.3.2] Session Expiry Interval twice', connack(twice('11 00000001'))],
    ['[5.0 3.2.2.3.3] Receive Maximum twice', connack(twice('21 0001'))],
    ['[5.0 3.2.2.3.3] Receive Maximum 0', connack('21 0000')],
    ['[5.0 3.2.2.3.4] Maximum QoS twice', connack(twice('24 00'))],
    ['[5.0 3.2.2.3.4] Maximum QoS 2', connack('24 02')],
    ['[5.0 3.2.2.3.5] Retain Available twice', connack(twice('25 00'))],
    ['[5.0 3.2.2.3.5] Retain Available neither 0 nor 1', connack('25 02')],
    ['[5.0 3.2.2.3.6] Maximum Packet Size twice', connack(twice('27 00000001'))],
    ['[5.0 3.2.2.3.6] Maximum Packet Size 0', connack('27 00000000')],
    ['[5.0 3.2.2.3.7] Assigned Client Identifier twice', connack(twice("12 0001 'i'"))],
    ['[5.0 3.2.2.3.8] Topic Alias Maximum twice', connack(twice('22 0000'))],
    ['[5.0 3.2.2.3.9] Reason String twice', connack(twice('1f 0000'))],
    ['[5.0 3.2.2.3.11] Wildcard Subscription Available twice', connack(twice('28 00'))],
    ['[5.0 3.2.2.3.11] Wildcard Subscription Available neither 0 nor 1', connack('28 02')],
    ['[5.0 3.2.2.3.12] Subscription Identifiers Available twice', connack(twice('29 00'))],
    ['[5.0 3.2.2.3.12] Subscription Identifiers Available neither 0 nor 1', connack('29 02')],
    ['[5.0 3.2.2.3.13] Shared Subscription Available twice', connack(twice('2a 00'))],
    ['[5.0 3.2.2.3.13] Shared Subscription Available neither 0 nor 1', connack('2a 02')],
    ['[5.0 3.2.2.3.14] Server Keep Alive twice', connack(twice('13 0000'))],
    ['[5.0 3.2.2.3.15] Response Information twice', connack(twice('1a 0000'))],
    ['[5.0 3.2.2.3.16] Server Reference twice', connack(twice('1c 0000'))],
    ['[5.0 3.2.2.3.17] Authentication Method twice', connack(twice("15 0001 'm'"))],
    ['[5.0 3.2.2.3.18] Authentication Data twice', connack("15 0001 'm' 16 0000 16 0000")],
    ['[5.0 MQTT-4.12.0-6] Authentication Data without a method', connack('16 0000')],
    ['[5.0 MQTT-3.2.2-6] Session Present on a refusal', '20 ?? 01 80 00'],
    ['[5.0 MQTT-3.2.2-8] Reason Code of another packet', '20 ?? 00 92 00'],
    ['[5.0 MQTT-3.2.2-8] Reason Code that does not exist', '20 ?? 00 01 00']
  ])

  refuses('client', Mqtt5, MalformedPacket, [
    ['[5.0 MQTT-3.2.2-1] reserved Connect Acknowledge Flags', '20 ?? 02 00 00'],
    ['[5.0 MQTT-2.2.2-1] no Property Length', '20 ?? 00 00'],
    ['[5.0 2.2.2.2] property of another packet', connack('23 0001'), MalformedPacket]
  ])

  refuses('client', Mqtt311, ProtocolError, [
    ['[3.1.1 MQTT-3.2.2-4] Session Present on a refusal', '20 ?? 01 01'],
    ['[3.1.1 3.2.2.3] return code that is reserved', '20 ?? 00 06'],
    ['[3.1.1 3.2.2.1] reserved Connect Acknowledge Flags', '20 ?? 80 00', MalformedPacket],
    ['[3.1.1 3.2] longer than it is', '20 ?? 00 00 00', MalformedPacket]
  ])
})

describe('PUBLISH', () => {
  refuses('server', Mqtt5, ProtocolError, [
    ['[5.0 3.3.2.1] neither Topic Name nor Topic Alias', '30 ?? 0000 00'],
    ['[5.0 3.3.2.3.2] Payload Format Indicator twice', publish(twice('01 00'))],
    ['[5.0 3.3.2.3.2] Payload Format Indicator neither 0 nor 1', publish('01 02')],
    ['[5.0 3.3.2.3.3] Message Expiry Interval twice', publish(twice('02 00000000'))],
    ['[5.0 3.3.2.3.4] Topic Alias twice', publish(twice('23 0001'))],
    ['[5.0 3.3.2.3.5] Response Topic twice', publish(twice("08 0001 'r'"))],
    ['[5.0 MQTT-3.3.2-14] Response Topic with a wildcard', publish("08 0003 'r/+'")],
    ['[5.0 MQTT-4.7.3-1] Response Topic empty', publish('08 0000')],
    ['[5.0 3.3.2.3.6] Correlation Data twice', publish(twice('09 0000'))],
    ['[5.0 MQTT-3.3.4-6] Subscription Identifier from a client', publish('0b 01')],
    ['[5.0 3.3.2.3.9] Content Type twice', publish(twice('03 0000'))],
    ['[5.0 MQTT-2.2.1-3] Packet Identifier 0 at QoS 1', "32 ?? 0001 'a' 0000 00"],
    ['[5.0 MQTT-2.2.1-3] Packet Identifier 0 at QoS 2', "34 ?? 0001 'a' 0000 00"],
    ['[5.0 MQTT-3.3.2-8] Topic Alias 0', publish('23 0000'), TopicAliasInvalid],
    ['[5.0 MQTT-3.3.2-2] Topic Name with +', "30 ?? 0003 'a/+' 00", TopicNameInvalid],
    ['[5.0 MQTT-3.3.2-2] Topic Name with #', "30 ?? 0001 '#' 00", TopicNameInvalid]
  ])

  refuses('server', Mqtt5, MalformedPacket, [
    ['[5.0 MQTT-3.3.1-4] QoS 3', "36 ?? 0001 'a' 0001 00"],
    ['[5.0 MQTT-3.3.1-2] DUP at QoS 0', "38 ?? 0001 'a' 00"],
    ['[5.0 MQTT-3.3.2-1] Topic Name of ill-formed UTF-8', '30 ?? 0002 c0af 00'],
    ['[5.0 MQTT-1.5.4-2] Topic Name with U+0000', '30 ?? 0003 612f00 00'],
    ['[5.0 MQTT-1.5.4-1] Topic Name with a surrogate', '30 ?? 0003 edbfbf 00'],
    ['[5.0 MQTT-3.3.2-13] Response Topic of ill-formed UTF-8', publish('08 0001 ff')],
    ['[5.0 MQTT-3.3.2-19] Content Type of ill-formed UTF-8', publish('03 0001 ff')],
    ['[5.0 MQTT-2.2.2-1] no Property Length', "30 ?? 0001 'a'"],
    ['[5.0 2.2.1] no Packet Identifier at QoS 1', "32 ?? 0001 'a' 00"],
    ['[5.0 1.5.4] Topic Name beyond the packet', "30 ?? 0005 'a' 00"],
    ['[5.0 1.5.5] Property Length of five bytes', "30 ?? 0001 'a' 8080808001"],
    ['[5.0 MQTT-1.5.5-1] padded Property Length', "30 ?? 0001 'a' 8000"],
    ['[5.0 2.2.2.2] property of another packet', publish('11 00000000')],
    ['[5.0 2.2.2.2] property of the will', publish('18 00000000')]
  ])

  refuses('client', Mqtt5, ProtocolError, [
    ['[5.0 3.3.2.3.8] Subscription Identifier 0', publish('0b 00')],
    ['[5.0 1.5.5] Subscription Identifier of five bytes', publish('0b 8080808001'), MalformedPacket],
    ['[5.0 MQTT-1.5.5-1] padded Subscription Identifier', publish('0b 8100'), MalformedPacket],
    ['[5.0 MQTT-2.2.1-4] Packet Identifier 0', "32 ?? 0001 'a' 0000 00"]
  ])

  refuses('server', Mqtt311, MalformedPacket, [
    ['[3.1.1 MQTT-3.3.1-4] QoS 3', "36 ?? 0001 'a' 0001"],
    ['[3.1.1 MQTT-3.3.1-2] DUP at QoS 0', "38 ?? 0001 'a'"],
    ['[3.1.1 MQTT-3.3.2-1] Topic Name of ill-formed UTF-8', '30 ?? 0001 80'],
    ['[3.1.1 MQTT-1.5.3-1] Topic Name with a surrogate', '30 ?? 0003 eda080'],
    ['[3.1.1 MQTT-1.5.3-2] Topic Name with U+0000', '30 ?? 0001 00'],
    ['[3.1.1 MQTT-3.3.2-2] Topic Name with a wildcard', "30 ?? 0001 '+'", TopicNameInvalid],
    ['[3.1.1 MQTT-4.7.3-1] Topic Name empty', '30 ?? 0000', ProtocolError],
    ['[3.1.1 MQTT-2.3.1-1] Packet Identifier 0', "32 ?? 0001 'a' 0000", ProtocolError]
  ])

  refuses('server', Mqtt31, MalformedPacket, [['[3.1 2.1] QoS 3', "36 ?? 0001 'a' 0001"]])
})

describe('PUBACK, PUBREC, PUBREL, PUBCOMP', () => {
  const acknowledgements = [
    { firstByte: '40', name: 'PUBACK', section: '3.4.2', reasonCodes: '[5.0 MQTT-3.4.2-1]' },
    { firstByte: '50', name: 'PUBREC', section: '3.5.2', reasonCodes: '[5.0 MQTT-3.5.2-1]' },
    { firstByte: '62', name: 'PUBREL', section: '3.6.2', reasonCodes: '[5.0 MQTT-3.6.2-1]' },
    { firstByte: '70', name: 'PUBCOMP', section: '3.7.2', reasonCodes: '[5.0 MQTT-3.7.2-1]' }
  ]
  for (const { firstByte, name, section, reasonCodes } of acknowledgements) {
    refuses('server', Mqtt5, ProtocolError, [
      [`[5.0 ${section}.2.2] ${name} with Reason String twice`, `${firstByte} ?? 0001 00 06 1f 0000 1f 0000`],
      [`${reasonCodes} ${name} with a Reason Code that does not exist`, `${firstByte} ?? 0001 01`],
      [`${reasonCodes} ${name} with a Reason Code of another packet`, `${firstByte} ?? 0001 8e`],
      [`[5.0 2.2.1] ${name} with Packet Identifier 0`, `${firstByte} ?? 0000`],
      [`[5.0 2.2.2.2] ${name} with a property of another packet`, `${firstByte} ?? 0001 00 05 11 00000000`, MalformedPacket],
      [`[5.0 ${section}] ${name} that is empty`, `${firstByte} ?? `, MalformedPacket],
      [`[5.0 ${section}] ${name} with half a Packet Identifier`, `${firstByte} ?? 00`, MalformedPacket],
      [`[5.0 ${section}] ${name} that goes on behind its properties`, `${firstByte} ?? 0001 00 00 00`, MalformedPacket]
    ])
    const flipped = (Number.parseInt(firstByte, 16) ^ 0b0010).toString(16)
    refuses('client', Mqtt311, MalformedPacket, [
      [`[3.1.1 MQTT-2.2.2-2] ${name} with wrong flags`, `${flipped} ?? 0001`],
      [`[3.1.1 ${section}] ${name} with more than its Packet Identifier`, `${firstByte} ?? 0001 00`],
      [`[3.1.1 2.3.1] ${name} with Packet Identifier 0`, `${firstByte} ?? 0000`, ProtocolError]
    ])
  }

  refuses('server', Mqtt5, MalformedPacket, [
    ['[5.0 MQTT-3.6.1-1] PUBREL with flags 0000', '60 ?? 0001'],
    ['[5.0 MQTT-2.1.3-1] PUBACK with flags 0001', '41 ?? 0001']
  ])
  refuses('server', Mqtt311, MalformedPacket, [['[3.1.1 MQTT-3.6.1-1] PUBREL with flags 0011', '63 ?? 0001']])
})

describe('SUBSCRIBE and SUBACK', () => {
  refuses('server', Mqtt5, ProtocolError, [
    ['[5.0 3.8.2.1.2] Subscription Identifier 0', subscribe('0b 00')],
    ['[5.0 3.8.2.1.2] Subscription Identifier twice', subscribe(twice('0b 01'))],
    ['[5.0 MQTT-3.8.3-2] no subscription', '82 ?? 0001 00'],
    ['[5.0 3.8.3.1] QoS 3', "82 ?? 0001 00 0001 'a' 03"],
    ['[5.0 3.8.3.1] Retain Handling 3', "82 ?? 0001 00 0001 'a' 30"],
    ['[5.0 MQTT-3.8.3-4] No Local on a Shared Subscription', "82 ?? 0001 00 000a '$share/g/a' 04"],
    ['[5.0 MQTT-2.2.1-3] Packet Identifier 0', "82 ?? 0000 00 0001 'a' 00"],
    ['[5.0 MQTT-3.8.3-5] reserved option bit 6', "82 ?? 0001 00 0001 'a' 40", MalformedPacket],
    ['[5.0 MQTT-3.8.3-5] reserved option bit 7', "82 ?? 0001 00 0001 'a' 80", MalformedPacket],
    ['[5.0 MQTT-3.8.1-1] flags 0000', "80 ?? 0001 00 0001 'a' 00", MalformedPacket],
    ['[5.0 MQTT-3.8.3-1] Topic Filter of ill-formed UTF-8', '82 ?? 0001 00 0001 ff 00', MalformedPacket],
    ['[5.0 3.8.3] no options', "82 ?? 0001 00 0001 'a'", MalformedPacket],
    ['[5.0 2.2.2.2] property of another packet', subscribe('1f 0000'), MalformedPacket]
  ])

  refuses('server', Mqtt311, MalformedPacket, [
    ['[3.1.1 MQTT-3.8.3-3] no subscription', '82 ?? 0001', ProtocolError],
    ['[3.1.1 MQTT-2.3.1-1] Packet Identifier 0', "82 ?? 0000 0001 'a' 00", ProtocolError],
    ['[3.1.1 MQTT-3.8.3-4] QoS 3', "82 ?? 0001 0001 'a' 03"],
    ['[3.1.1 MQTT-3.8.3-4] reserved bits', "82 ?? 0001 0001 'a' 04"],
    ['[3.1.1 MQTT-3.8.1-1] flags 0000', "80 ?? 0001 0001 'a' 00"],
    ['[3.1.1 MQTT-3.8.3-1] Topic Filter of ill-formed UTF-8', '82 ?? 0001 0001 ff 00']
  ])

  refuses('client', Mqtt5, ProtocolError, [
    ['[5.0 3.9.2.1.2] Reason String twice', '90 ?? 0001 06 1f 0000 1f 0000 00'],
    ['[5.0 MQTT-3.9.3-2] Reason Code that does not exist', '90 ?? 0001 00 03'],
    ['[5.0 3.9.3] no Reason Code', '90 ?? 0001 00'],
    ['[5.0 MQTT-2.1.3-1] wrong flags', '92 ?? 0001 00 00', MalformedPacket]
  ])

  refuses('client', Mqtt311, ProtocolError, [
    ['[3.1.1 MQTT-3.9.3-2] return code that is reserved', '90 ?? 0001 03'],
    ['[3.1.1 MQTT-3.9.3-2] failure code of 5.0', '90 ?? 0001 87']
  ])
})

describe('UNSUBSCRIBE and UNSUBACK', () => {
  refuses('server', Mqtt5, ProtocolError, [
    ['[5.0 MQTT-3.10.3-2] no Topic Filter', 'a2 ?? 0001 00'],
    ['[5.0 MQTT-2.2.1-3] Packet Identifier 0', "a2 ?? 0000 00 0001 'a'"],
    ['[5.0 MQTT-3.10.1-1] flags 0000', "a0 ?? 0001 00 0001 'a'", MalformedPacket],
    ['[5.0 MQTT-3.10.3-1] Topic Filter of ill-formed UTF-8', 'a2 ?? 0001 00 0001 fe', MalformedPacket],
    ['[5.0 2.2.2.2] property of another packet', "a2 ?? 0001 02 0b 01 0001 'a'", MalformedPacket]
  ])

  refuses('server', Mqtt311, ProtocolError, [
    ['[3.1.1 MQTT-3.10.3-2] no Topic Filter', 'a2 ?? 0001'],
    ['[3.1.1 MQTT-2.3.1-1] Packet Identifier 0', "a2 ?? 0000 0001 'a'"],
    ['[3.1.1 MQTT-3.10.1-1] flags 0000', "a0 ?? 0001 0001 'a'", MalformedPacket],
    ['[3.1.1 MQTT-3.10.3-1] Topic Filter of ill-formed UTF-8', 'a2 ?? 0001 0001 ff', MalformedPacket]
  ])

  refuses('client', Mqtt5, ProtocolError, [
    ['[5.0 3.11.2.1.2] Reason String twice', 'b0 ?? 0001 06 1f 0000 1f 0000 00'],
    ['[5.0 MQTT-3.11.3-2] Reason Code that does not exist', 'b0 ?? 0001 00 01'],
    ['[5.0 3.11.3] no Reason Code', 'b0 ?? 0001 00']
  ])

  refuses('client', Mqtt311, MalformedPacket, [['[3.1.1 3.11.3] UNSUBACK with a payload', 'b0 ?? 0001 00']])
})

describe('PINGREQ and PINGRESP', () => {
  for (const [name, protocolVersion] of [['3.1', Mqtt31] as const, ['3.1.1', Mqtt311] as const, ['5.0', Mqtt5] as const]) {
    refuses('server', protocolVersion, MalformedPacket, [[`[${name} 3.12] PINGREQ that is not empty`, 'c0 ?? 00']])
    refuses('client', protocolVersion, MalformedPacket, [[`[${name} 3.13] PINGRESP that is not empty`, 'd0 ?? 00']])
  }
  refuses('server', Mqtt5, MalformedPacket, [['[5.0 MQTT-2.1.3-1] PINGREQ with flags', 'c1 00']])
  refuses('client', Mqtt311, MalformedPacket, [['[3.1.1 MQTT-2.2.2-2] PINGRESP with flags', 'd8 00']])
})

describe('DISCONNECT', () => {
  refuses('server', Mqtt5, ProtocolError, [
    ['[5.0 3.14.2.2.2] Session Expiry Interval twice', 'e0 ?? 00 0a 11 00000001 11 00000001'],
    ['[5.0 3.14.2.2.3] Reason String twice', 'e0 ?? 00 06 1f 0000 1f 0000'],
    ['[5.0 3.14.2.2.5] Server Reference twice', 'e0 ?? 00 06 1c 0000 1c 0000'],
    ['[5.0 MQTT-3.14.2-1] Reason Code that does not exist', 'e0 ?? 01'],
    ['[5.0 MQTT-3.14.2-1] Reason Code of another packet', 'e0 ?? 92'],
    ['[5.0 MQTT-3.14.1-1] reserved flags', 'e1 00', MalformedPacket],
    ['[5.0 2.2.2.2] property of another packet', 'e0 ?? 00 03 21 0001', MalformedPacket]
  ])

  refuses('client', Mqtt5, ProtocolError, [
    ['[5.0 MQTT-3.14.2-2] Session Expiry Interval from a server', 'e0 ?? 00 05 11 00000000']
  ])

  refuses('server', Mqtt311, MalformedPacket, [
    ['[3.1.1 MQTT-3.14.1-1] reserved flags', 'e2 00'],
    ['[3.1.1 3.14] DISCONNECT that is not empty', 'e0 ?? 00']
  ])

  refuses('client', Mqtt311, ProtocolError, [['[3.1.1 3.14] DISCONNECT from a server', 'e0 00']])
  refuses('client', Mqtt31, ProtocolError, [['[3.1 3.14] DISCONNECT from a server', 'e0 00']])
})

describe('AUTH', () => {
  refuses('server', Mqtt5, ProtocolError, [
    ['[5.0 3.15.2.2.2] Authentication Method twice', "f0 ?? 18 08 15 0001 'm' 15 0001 'm'"],
    ['[5.0 3.15.2.2.2] no Authentication Method', 'f0 ?? 18 00'],
    ['[5.0 3.15.2.2.2] no Authentication Method but other properties', 'f0 ?? 18 03 1f 0000'],
    ['[5.0 3.15.2.2.2] Authentication Data without a method', 'f0 ?? 18 03 16 0000'],
    ['[5.0 3.15.2.2.3] Authentication Data twice', "f0 ?? 18 0a 15 0001 'm' 16 0000 16 0000"],
    ['[5.0 3.15.2.2.4] Reason String twice', "f0 ?? 18 0a 15 0001 'm' 1f 0000 1f 0000"],
    ['[5.0 MQTT-3.15.2-1] Reason Code that does not exist', "f0 ?? 01 04 15 0001 'm'"],
    ['[5.0 3.15.2.1] success from a client', "f0 ?? 00 04 15 0001 'm'"],
    ['[5.0 3.15.2.1] success from a client, in short', 'f0 00'],
    ['[5.0 MQTT-3.15.1-1] reserved flags', "f1 ?? 18 04 15 0001 'm'", MalformedPacket],
    ['[5.0 3.15.2.2.1] no Property Length', 'f0 ?? 18', MalformedPacket],
    ['[5.0 2.2.2.2] property of another packet', 'f0 ?? 18 03 1c 0000', MalformedPacket]
  ])

  refuses('client', Mqtt5, ProtocolError, [
    ['[5.0 3.15.2.2.2] success with properties but no Authentication Method', 'f0 ?? 00 03 1f 0000']
  ])
  refuses('client', Mqtt5, ProtocolError, [['[5.0 3.15.2.1] re-authenticate from a server', "f0 ?? 19 04 15 0001 'm'"]])

  refuses('server', Mqtt311, MalformedPacket, [['[3.1.1 2.2.1] type 15 is reserved', 'f0 00']])
  refuses('client', Mqtt31, MalformedPacket, [['[3.1 2.1] type 15 is reserved', 'f0 00']])
})

describe('packets that go the other way', () => {
  for (const protocolVersion of [Mqtt31, Mqtt311, Mqtt5]) {
    refuses('server', protocolVersion, ProtocolError, [
      [`a CONNACK reaches a server of version ${protocolVersion}`, '20'],
      [`a SUBACK reaches a server of version ${protocolVersion}`, '90'],
      [`an UNSUBACK reaches a server of version ${protocolVersion}`, 'b0'],
      [`a PINGRESP reaches a server of version ${protocolVersion}`, 'd0'],
      [`a second CONNECT reaches a server of version ${protocolVersion}`, '10']
    ])
    refuses('client', protocolVersion, ProtocolError, [
      [`a CONNECT reaches a client of version ${protocolVersion}`, '10'],
      [`a SUBSCRIBE reaches a client of version ${protocolVersion}`, '82'],
      [`an UNSUBSCRIBE reaches a client of version ${protocolVersion}`, 'a2'],
      [`a PINGREQ reaches a client of version ${protocolVersion}`, 'c0']
    ])
    refuses('server', protocolVersion, MalformedPacket, [
      [`type 0 reaches a server of version ${protocolVersion}`, '00'],
      [`a Remaining Length of five bytes reaches a server of version ${protocolVersion}`, '30 80808080']
    ])
  }
  refuses('server', Mqtt5, MalformedPacket, [
    ['[5.0 MQTT-1.5.5-1] padded Remaining Length', 'c0 8000'],
    ['[5.0 MQTT-1.5.5-1] Remaining Length padded to four bytes', 'c0 80808000']
  ])
})
