import { PacketType, ReasonCode } from '@godwit/protocol'
import { publish, scenario } from '@godwit/testkit'
import { packetHex } from '../packet-bytes.ts'

const { MalformedPacket, ProtocolError, TopicAliasInvalid } = ReasonCode

interface Row {
  readonly section: string
  readonly what: string
  readonly packet: string
  /** Default: Protocol Error. */
  readonly reasonCode?: typeof MalformedPacket | typeof TopicAliasInvalid
}

/** A QoS 0 PUBLISH to `t` with these properties. */
function publishWith(properties: string): string {
  return `30 [0001 't' [${properties}] 'payload']`
}

function twice(property: string): string {
  return `${property} ${property}`
}

/** The rules that are the same for PUBACK, PUBREC, PUBREL and PUBCOMP. */
function acknowledgements(section: string, name: string, firstByte: string): Row[] {
  const packet = (properties: string) => `${firstByte} [0001 00 [${properties}]]`
  return [
    { section: `${section}.2.2.2`, what: `Reason String twice in ${name}`, packet: packet('1f 0000 1f 0000') },
    { section: '2.2.2.2', what: `a property of another packet in ${name}`, packet: packet('0b 01'), reasonCode: MalformedPacket },
    { section: '2.2.2.2', what: `half a property in ${name}`, packet: packet('1f 00'), reasonCode: MalformedPacket },
    {
      section: '2.2.2.1',
      what: `a Property Length beyond ${name}`,
      packet: `${firstByte} [0001 00 05]`,
      reasonCode: MalformedPacket
    },
    {
      section: `${section}.2`,
      what: `half a Packet Identifier in ${name}`,
      packet: `${firstByte} [00]`,
      reasonCode: MalformedPacket
    },
    { section: `${section}.3`, what: `a payload in ${name}`, packet: `${firstByte} [0001 00 [] 00]`, reasonCode: MalformedPacket }
  ]
}

const ROWS: readonly Row[] = [
  { section: '3.3.2.1', what: 'neither Topic Name nor Topic Alias', packet: "30 [0000 [] 'payload']" },
  { section: '3.3.2.3.2', what: 'Payload Format Indicator twice', packet: publishWith(twice('01 00')) },
  { section: '3.3.2.3.2', what: 'Payload Format Indicator 2', packet: publishWith('01 02') },
  { section: '3.3.2.3.3', what: 'Message Expiry Interval twice', packet: publishWith(twice('02 0000003c')) },
  { section: '3.3.2.3.4', what: 'Topic Alias twice', packet: publishWith(twice('23 0001')) },
  { section: '3.3.4', what: 'Topic Alias 0', packet: publishWith('23 0000'), reasonCode: TopicAliasInvalid },
  { section: '3.3.4', what: 'a Topic Alias above the maximum', packet: publishWith('23 0021'), reasonCode: TopicAliasInvalid },
  { section: '3.3.4', what: 'the highest Topic Alias', packet: publishWith('23 ffff'), reasonCode: TopicAliasInvalid },
  { section: '3.3.4', what: 'a Topic Alias that was never set', packet: '30 [0000 [23 0001]]' },
  { section: '3.3.2.3.5', what: 'Response Topic twice', packet: publishWith(twice("08 0001 'r'")) },
  { section: '3.3.2.3.5', what: 'a Response Topic with a wildcard', packet: publishWith("08 0003 'r/#'") },
  { section: '3.3.2.3.6', what: 'Correlation Data twice', packet: publishWith(twice('09 0001 00')) },
  { section: '3.3.2.3.8', what: 'Subscription Identifier 0', packet: publishWith('0b 00') },
  { section: '3.3.4', what: 'a Subscription Identifier from a client', packet: publishWith('0b 01') },
  { section: '3.3.2.3.9', what: 'Content Type twice', packet: publishWith(twice('03 0000')) },
  { section: '2.2.2.2', what: 'a property that does not exist', packet: publishWith('7f 00'), reasonCode: MalformedPacket },
  { section: '2.2.2.2', what: 'a property of CONNECT', packet: publishWith('11 00000001'), reasonCode: MalformedPacket },
  { section: '2.2.2.2', what: 'a Reason String', packet: publishWith('1f 0000'), reasonCode: MalformedPacket },
  { section: '2.2.2.2', what: 'a property cut short', packet: publishWith('02 0000'), reasonCode: MalformedPacket },
  { section: '2.2.2.1', what: 'no Property Length', packet: "30 [0001 't']", reasonCode: MalformedPacket },
  { section: '2.2.2.1', what: 'a Property Length beyond the packet', packet: "30 [0001 't' 7f]", reasonCode: MalformedPacket },
  {
    section: '1.5.5',
    what: 'a Property Length of five bytes',
    packet: "30 [0001 't' 80 80 80 80 01]",
    reasonCode: MalformedPacket
  },
  { section: '1.5.5', what: 'a Remaining Length of five bytes', packet: '30 ff ff ff ff 7f', reasonCode: MalformedPacket },
  { section: '1.5.4', what: 'a Topic Name cut short', packet: "30 [0002 't']", reasonCode: MalformedPacket },
  { section: '1.5.7', what: 'a User Property without a value', packet: publishWith("26 0001 'k'"), reasonCode: MalformedPacket },
  { section: '3.3.2.2', what: 'half a Packet Identifier', packet: "32 [0001 't' 00]", reasonCode: MalformedPacket },
  ...acknowledgements('3.4', 'PUBACK', '40'),
  ...acknowledgements('3.5', 'PUBREC', '50'),
  ...acknowledgements('3.6', 'PUBREL', '62'),
  ...acknowledgements('3.7', 'PUBCOMP', '70')
]

for (const { section, what, packet, reasonCode = ProtocolError } of ROWS) {
  const code = `0x${reasonCode.toString(16)}`
  scenario(`[5.0 ${section}] ${what}: DISCONNECT ${code}, and nothing of it or behind it is passed on`, async ({ connects }) => {
    const other = await connects({ clientId: 'other' })
    await other.subscribes('#', { qos: 1 })
    const client = await connects({ clientId: 'client' })
    await client.sendsBytes(`${packetHex(packet)} ${packetHex("30 [0001 'u' [] 'behind']")}`)
    await client.isDisconnected({ reasonCode })
    await other.receivesNothing()
    await other.publishes('t', 'as ever', { qos: 1 })
    await other.receives({ type: PacketType.Publish, payload: 'as ever' })
  })
}

scenario(
  '[5.0 3.3.4] aliases up to the maximum that CONNACK tells, and not one more',
  { limits: { topicAliasMaximum: 2 } },
  async ({ connects }) => {
    const client = await connects()
    await client.subscribes('t')
    await client.publishes('t', 'one', { topicAlias: 2 })
    await client.publishes('', 'two', { topicAlias: 2 })
    await client.receives({ type: PacketType.Publish, topicName: 't', payload: 'one' })
    await client.receives({ type: PacketType.Publish, topicName: 't', payload: 'two' })
    await client.sends(publish('t', 'three', { topicAlias: 3 }))
    await client.isDisconnected({ reasonCode: TopicAliasInvalid })
  }
)

scenario('[5.0 3.3.2.3.4] an alias that another client, or an earlier connection, has set is not set', async ({ connects }) => {
  const first = await connects({ clientId: 'first', sessionExpirySeconds: 60 })
  await first.publishes('t', '', { topicAlias: 1 })
  const second = await connects({ clientId: 'second' })
  await second.sends(publish('', 'whose?', { topicAlias: 1 }))
  await second.isDisconnected({ reasonCode: ProtocolError })
  await first.dropsConnection()
  const back = await first.reconnects()
  await back.sends(publish('', 'whose?', { topicAlias: 1 }))
  await back.isDisconnected({ reasonCode: ProtocolError })
})

scenario('[5.0 3.4.2.1] acknowledgements may leave out their Reason Code and properties', async ({ connects }) => {
  const client = await connects({ acknowledges: false })
  for (const rest of ['[0009]', '[0009 00]', '[0009 00 []]', "[0009 00 [1f 0001 'r' 26 0001 'k' 0001 'v']]"]) {
    await client.sendsBytes(`${packetHex(`40 ${rest}`)} ${packetHex(`70 ${rest}`)}`)
    await client.sendsBytes(packetHex(`62 ${rest}`))
    await client.receives({ type: PacketType.Pubcomp, packetIdentifier: 9, reasonCode: ReasonCode.PacketIdentifierNotFound })
  }
  await client.receivesNothing()
})
