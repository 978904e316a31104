import { PacketType, ReasonCode } from '@godwit/protocol'
import { publish, scenario } from '@godwit/testkit'

const { MalformedPacket, ProtocolError, TopicAliasInvalid, TopicNameInvalid } = ReasonCode

/** What a connected client must not send, and what it is told. */
const ERRORS = [
  { what: 'a Remaining Length of five bytes', bytes: '30 ff ff ff ff 01', reasonCode: MalformedPacket },
  { what: 'a packet shorter than its fields', bytes: '30 01 00', reasonCode: MalformedPacket },
  { what: 'a packet longer than its fields', bytes: 'c0 01 00', reasonCode: MalformedPacket },
  { what: 'PUBLISH with QoS 3', bytes: '36 06 00 01 74 00 01 00', reasonCode: MalformedPacket },
  { what: 'PUBLISH with a property of CONNECT', bytes: '30 07 00 01 74 03 21 00 01', reasonCode: MalformedPacket },
  { what: 'PUBLISH with a property that does not exist', bytes: '30 06 00 01 74 02 7f 00', reasonCode: MalformedPacket },
  { what: 'PUBLISH with a property cut short', bytes: '30 07 00 01 74 03 02 00 00', reasonCode: MalformedPacket },
  { what: 'PUBLISH with two Content Types', bytes: '30 0c 00 01 74 08 03 00 01 61 03 00 01 62', reasonCode: ProtocolError },
  { what: 'PUBLISH with Payload Format Indicator 2', bytes: '30 06 00 01 74 02 01 02', reasonCode: ProtocolError },
  { what: 'PUBLISH with neither topic nor alias', bytes: '30 03 00 00 00', reasonCode: ProtocolError },
  { what: 'PUBLISH with an alias that was never set', bytes: '30 06 00 00 03 23 00 01', reasonCode: ProtocolError },
  { what: 'PUBLISH with Topic Alias 0', bytes: '30 07 00 01 74 03 23 00 00', reasonCode: TopicAliasInvalid },
  { what: 'PUBLISH to a wildcard', bytes: '30 04 00 01 23 00', reasonCode: TopicNameInvalid },
  { what: 'SUBSCRIBE with Retain Handling 3', bytes: '82 07 00 01 00 00 01 74 30', reasonCode: ProtocolError },
  { what: 'SUBSCRIBE without a filter', bytes: '82 03 00 01 00', reasonCode: ProtocolError },
  { what: 'SUBSCRIBE with Subscription Identifier 0', bytes: '82 09 00 01 02 0b 00 00 01 74 00', reasonCode: ProtocolError },
  { what: 'UNSUBSCRIBE without a filter', bytes: 'a2 03 00 01 00', reasonCode: ProtocolError },
  { what: 'PUBACK with a code that is none', bytes: '40 03 00 01 11', reasonCode: ProtocolError },
  { what: 'CONNACK', bytes: '20 03 00 00 00', reasonCode: ProtocolError },
  { what: 'SUBACK', bytes: '90 04 00 01 00 00', reasonCode: ProtocolError },
  { what: 'UNSUBACK', bytes: 'b0 04 00 01 00 00', reasonCode: ProtocolError },
  { what: 'PINGRESP', bytes: 'd0 00', reasonCode: ProtocolError }
] as const

for (const { what, bytes, reasonCode } of ERRORS) {
  scenario(`[5.0 MQTT-4.13.1-1] ${what} ends the connection, and no other one`, async ({ connects }) => {
    const other = await connects()
    await other.subscribes('#')
    const client = await connects()
    await client.sendsBytes(bytes)
    await client.isDisconnected({ reasonCode })
    await other.receivesNothing()
  })
}

scenario('[5.0 MQTT-4.13.1-1] what comes before an error is handled, what comes behind it is not', async ({ connects }) => {
  const watcher = await connects()
  await watcher.subscribes('t')
  const client = await connects()
  await client.sendsBytes('30 04 00 01 74 00  32 06 00 01 74 00 01 00  ff 00  30 04 00 01 74 00')
  await client.receives({ type: PacketType.Puback, packetIdentifier: 1 })
  await client.isDisconnected({ reasonCode: MalformedPacket })
  await watcher.receives({ type: PacketType.Publish, qos: 0 })
  await watcher.receives({ type: PacketType.Publish, qos: 0 })
  await watcher.receivesNothing()
})

scenario(
  '[5.0 MQTT-4.13.2-1] after a DISCONNECT of 0x80 or above the connection is closed, even if there was no room for it',
  async ({ connects }) => {
    const client = await connects({ maximumPacketSize: 16 })
    await client.sendsBytes('ff 00')
    await client.isDisconnected({ reasonCode: MalformedPacket, properties: { reasonString: undefined } })
  }
)

scenario('[5.0 MQTT-4.13.2-1] after a CONNACK of 0x80 or above the connection is closed', async ({ refuses, broker }) => {
  await broker.restarts({ authenticate: () => ({ accepted: false, reasonCode: ReasonCode.ServerBusy }) })
  await refuses({ clientId: 'a' }, ReasonCode.ServerBusy)
})

scenario(
  '[5.0 MQTT-4.2.0-1] bytes arrive in order and whole both ways, however many and however they are cut',
  async ({ connects }) => {
    const client = await connects()
    await client.subscribes('t/#')
    const topics = Array.from({ length: 300 }, (_, index) => `t/${index}`)
    await client.sends(...topics.map((topicName, index) => publish(topicName, 'x'.repeat(index))))
    for (const [index, topicName] of topics.entries()) {
      await client.receives({ type: PacketType.Publish, topicName, payload: 'x'.repeat(index) })
    }
  }
)
