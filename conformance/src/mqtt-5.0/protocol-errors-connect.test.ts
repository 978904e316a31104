import { type ConnectReasonCode, PacketType, ReasonCode } from '@godwit/protocol'
import { scenario } from '@godwit/testkit'
import { expect } from 'vitest'
import { packetBytes } from '../packet-bytes.ts'

const { MalformedPacket, ProtocolError, TopicNameInvalid } = ReasonCode

interface Row {
  /** Where the specification says so. */
  readonly section: string
  readonly what: string
  readonly packet: string
  /** Default: Protocol Error. */
  readonly reasonCode?: ConnectReasonCode
}

/** A CONNECT with Clean Start and these properties. */
function connect(properties: string): string {
  return `10 [0004 'MQTT' 05 02 0000 [${properties}] 0001 'c']`
}

/** A CONNECT with a will of these properties. */
function connectWithWill(properties: string): string {
  return `10 [0004 'MQTT' 05 06 0000 [] 0001 'c' [${properties}] 0001 'w' 0000]`
}

function twice(property: string): string {
  return `${property} ${property}`
}

const ROWS: readonly Row[] = [
  { section: '3.1.2.11.2', what: 'Session Expiry Interval twice', packet: connect(twice('11 00000001')) },
  { section: '3.1.2.11.3', what: 'Receive Maximum twice', packet: connect(twice('21 0001')) },
  { section: '3.1.2.11.3', what: 'Receive Maximum 0', packet: connect('21 0000') },
  { section: '3.1.2.11.4', what: 'Maximum Packet Size twice', packet: connect(twice('27 00010000')) },
  { section: '3.1.2.11.4', what: 'Maximum Packet Size 0', packet: connect('27 00000000') },
  { section: '3.1.2.11.5', what: 'Topic Alias Maximum twice', packet: connect(twice('22 0000')) },
  { section: '3.1.2.11.6', what: 'Request Response Information twice', packet: connect(twice('19 01')) },
  { section: '3.1.2.11.6', what: 'Request Response Information 2', packet: connect('19 02') },
  { section: '3.1.2.11.6', what: 'Request Response Information 255', packet: connect('19 ff') },
  { section: '3.1.2.11.7', what: 'Request Problem Information twice', packet: connect(twice('17 00')) },
  { section: '3.1.2.11.7', what: 'Request Problem Information 2', packet: connect('17 02') },
  { section: '3.1.2.11.9', what: 'Authentication Method twice', packet: connect(twice("15 0001 'm'")) },
  { section: '3.1.2.11.10', what: 'Authentication Data without a method', packet: connect('16 0001 00') },
  { section: '3.1.2.11.10', what: 'Authentication Data twice', packet: connect("15 0001 'm' 16 0000 16 0000") },
  { section: '3.1.3.2.2', what: 'Will Delay Interval twice', packet: connectWithWill(twice('18 00000001')) },
  { section: '3.1.3.2.3', what: 'Payload Format Indicator twice', packet: connectWithWill(twice('01 00')) },
  { section: '3.1.3.2.3', what: 'Payload Format Indicator 2', packet: connectWithWill('01 02') },
  { section: '3.1.3.2.4', what: 'Message Expiry Interval twice', packet: connectWithWill(twice('02 00000001')) },
  { section: '3.1.3.2.5', what: 'Content Type twice', packet: connectWithWill(twice('03 0000')) },
  { section: '3.1.3.2.6', what: 'Response Topic twice', packet: connectWithWill(twice("08 0001 'r'")) },
  { section: '3.1.3.2.6', what: 'a Response Topic with a wildcard', packet: connectWithWill("08 0001 '+'") },
  { section: '3.1.3.2.6', what: 'an empty Response Topic', packet: connectWithWill('08 0000') },
  { section: '3.1.3.2.7', what: 'Correlation Data twice', packet: connectWithWill(twice('09 0000')) },
  {
    section: '3.1.3.3',
    what: 'a Will Topic with a wildcard',
    packet: "10 [0004 'MQTT' 05 06 0000 [] 0001 'c' [] 0001 '#' 0000]",
    reasonCode: TopicNameInvalid
  },
  {
    section: '3.1.3.3',
    what: 'an empty Will Topic',
    packet: "10 [0004 'MQTT' 05 06 0000 [] 0001 'c' [] 0000 0000]",
    reasonCode: TopicNameInvalid
  },
  { section: '2.2.2.2', what: 'a property that does not exist', packet: connect('00'), reasonCode: MalformedPacket },
  { section: '2.2.2.2', what: 'a property beyond all that exist', packet: connect('7f 00'), reasonCode: MalformedPacket },
  { section: '2.2.2.2', what: 'a property of CONNACK', packet: connect('24 01'), reasonCode: MalformedPacket },
  { section: '2.2.2.2', what: 'a property of PUBLISH', packet: connect('23 0001'), reasonCode: MalformedPacket },
  { section: '2.2.2.2', what: 'a will property outside the will', packet: connect('18 00000001'), reasonCode: MalformedPacket },
  {
    section: '2.2.2.2',
    what: 'a CONNECT property among the will’s',
    packet: connectWithWill('11 00000001'),
    reasonCode: MalformedPacket
  },
  {
    section: '2.2.2.2',
    what: 'a property cut short by the Property Length',
    packet: connect('11 0000'),
    reasonCode: MalformedPacket
  },
  {
    section: '2.2.2.2',
    what: 'a property identifier of two bytes',
    packet: connect('91 00 00000001'),
    reasonCode: MalformedPacket
  },
  {
    section: '2.2.2.1',
    what: 'a Property Length beyond the packet',
    packet: "10 [0004 'MQTT' 05 02 0000 7f 0001 'c']",
    reasonCode: MalformedPacket
  },
  { section: '2.2.2.1', what: 'no Property Length', packet: "10 [0004 'MQTT' 05 02 0000]", reasonCode: MalformedPacket },
  {
    section: '1.5.5',
    what: 'a Property Length of five bytes',
    packet: "10 [0004 'MQTT' 05 02 0000 80 80 80 80 01 0001 'c']",
    reasonCode: MalformedPacket
  },
  {
    section: '1.5.4',
    what: 'a string cut short',
    packet: "10 [0004 'MQTT' 05 02 0000 [] 0002 'c']",
    reasonCode: MalformedPacket
  },
  {
    section: '1.5.6',
    what: 'binary data cut short',
    packet: "10 [0004 'MQTT' 05 06 0000 [] 0001 'c' [] 0001 'w' 0005 00]",
    reasonCode: MalformedPacket
  },
  { section: '1.5.7', what: 'a User Property without a value', packet: connect("26 0001 'k'"), reasonCode: MalformedPacket },
  {
    section: '3.1.3',
    what: 'bytes behind the payload',
    packet: "10 [0004 'MQTT' 05 02 0000 [] 0001 'c' 00]",
    reasonCode: MalformedPacket
  }
]

for (const { section, what, packet, reasonCode = ProtocolError } of ROWS) {
  const code = `0x${reasonCode.toString(16)}`
  scenario(`[5.0 ${section}] ${what} in CONNECT: CONNACK ${code}, and no session`, async ({ raw, connects, broker }) => {
    const other = await connects({ clientId: 'other' })
    const client = await raw()
    await client.sendsBytes(packetBytes(packet))
    await client.receives({ type: PacketType.Connack, sessionPresent: false, reasonCode })
    await client.isClosed()
    await other.receivesNothing()
    expect(broker.running.counts).toMatchObject({ clients: 1, sessions: 1 })
  })
}

scenario('[5.0 2.2.2] what is left out, and each property once in any order, is no error', async ({ raw }) => {
  const properties = "26 0001 'k' 0001 'v' 27 00010000 19 01 17 00 22 0001 21 0001 26 0001 'k' 0001 'v' 11 00000001"
  for (const packet of [
    connect(properties),
    connect(''),
    connectWithWill("09 0000 03 0000 18 00000000 02 00000000 01 01 08 0001 'r'")
  ]) {
    const client = await raw()
    await client.sendsBytes(packetBytes(packet))
    await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.Success })
    await client.disconnects()
  }
})

scenario(
  '[5.0 4.13.1] a refused CONNECT leaves the session, the will and the connection of that ClientID alone',
  async ({ raw, connects }) => {
    const watcher = await connects({ clientId: 'watcher' })
    await watcher.subscribes('w')
    const owner = await connects({ clientId: 'c', sessionExpirySeconds: 60, will: { topicName: 'w', payload: 'gone' } })
    await owner.subscribes('t', { qos: 1 })
    for (const packet of [connect('21 0000'), connectWithWill('01 02'), connect('24 01')]) {
      const client = await raw()
      await client.sendsBytes(packetBytes(packet))
      await client.receives({ type: PacketType.Connack, sessionPresent: false })
      await client.isClosed()
    }
    await watcher.publishes('t', 'heard', { qos: 1 })
    await owner.receives({ type: PacketType.Publish, payload: 'heard' })
    await watcher.receivesNothing()
  }
)
