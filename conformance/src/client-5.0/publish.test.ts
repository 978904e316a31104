import { PacketType, ReasonCode } from '@godwit/protocol'
import { outcome, puback, publish } from '@godwit/testkit'
import { expect } from 'vitest'
import { isDisconnected, isRefused, publishes, served } from '../client-scenario.test.support.ts'
import { packetHex } from '../packet-bytes.ts'

const { MalformedPacket, ProtocolError, TopicNameInvalid } = ReasonCode

served(
  '[5.0 MQTT-3.3.2-2] [5.0 MQTT-4.7.0-1] [5.0 MQTT-3.3.2-14] [5.0 MQTT-4.7.3-1] [5.0 MQTT-4.7.3-3] what is no Topic Name is not published',
  async ({ connects }) => {
    const [client, server] = await connects()
    for (const topic of ['a/#', '#', '+/a', 'a+', '', 'x'.repeat(65_536), '\u20ac'.repeat(21_846)]) {
      await isRefused(server, client.publish(topic, ''), 'invalid-argument')
      await isRefused(server, client.publish('t', '', { responseTopic: topic }), 'invalid-argument')
      expect(() => client.subscribe(topic === '' || topic.length > 1000 ? topic : `${topic}#b`)).toThrow('is not a Topic Filter')
    }
    void client.publish('x'.repeat(65_535), '')
    await server.receives({ type: PacketType.Publish, topicName: 'x'.repeat(65_535) })
  },
  { networks: ['whole'] }
)

served('[5.0 MQTT-3.3.1-4] a QoS that there is not is not published', async ({ connects }) => {
  const [client, server] = await connects()
  const options = {}
  Object.assign(options, { qos: 3 })
  await isRefused(server, client.publish('t', '', options), 'invalid-argument')
})

served(
  '[5.0 MQTT-3.3.2-13] [5.0 MQTT-3.3.2-19] [5.0 MQTT-3.3.4-6] properties are sent as given, and no Subscription Identifier with them',
  async ({ connects }) => {
    const [client, server] = await connects()
    const correlationData = Uint8Array.of(1, 2, 3)
    void client.publish('t', 'x', {
      contentType: 'text/plain; \u20ac',
      responseTopic: 'reply/\u20ac',
      correlationData,
      expirySeconds: 60,
      isUtf8: true,
      userProperties: [
        ['a', '1'],
        ['a', '2']
      ]
    })
    await server.receives({
      type: PacketType.Publish,
      properties: {
        payloadFormatIndicator: 1,
        messageExpiryInterval: 60,
        contentType: 'text/plain; \u20ac',
        responseTopic: 'reply/\u20ac',
        correlationData,
        userProperties: [
          ['a', '1'],
          ['a', '2']
        ]
      }
    })
  }
)

served(
  '[5.0 MQTT-3.3.1-2] [5.0 MQTT-4.3.1-1] QoS 0 has DUP 0, also on a connection after the one it waited for',
  async ({ connects, isCalledAgain }) => {
    const [client, first] = await connects()
    void client.publish('a', '')
    await first.receives({ type: PacketType.Publish, qos: 0, dup: false })
    await first.breaks()
    void client.publish('b', '')
    const second = await isCalledAgain()
    await second.accepts({ sessionPresent: true })
    await second.receives({ type: PacketType.Publish, topicName: 'b', qos: 0, dup: false })
  }
)

served(
  '[5.0 MQTT-3.3.4-1] [5.0 MQTT-4.5.0-2] a message is answered as its QoS says, also if nobody wants it',
  async ({ connects }) => {
    const [, server] = await connects()
    await server.sends(publish('t', '', { qos: 0 }))
    await server.receivesNothing()
    await server.sends(publish('t', '', { qos: 1, packetIdentifier: 5 }))
    await server.receives({ type: PacketType.Puback, packetIdentifier: 5, reasonCode: ReasonCode.Success })
    await server.sends(publish('t', '', { qos: 2, packetIdentifier: 6 }))
    await server.receives({ type: PacketType.Pubrec, packetIdentifier: 6, reasonCode: ReasonCode.Success })
  }
)

served('[5.0 MQTT-4.3.1-1] a QoS 0 message is finished when it is handed over', async ({ connects }) => {
  const [client, server] = await connects()
  const delivery = client.publish('t', '')
  await server.receives({ type: PacketType.Publish, qos: 0 })
  expect(await outcome(delivery)).toMatchObject({ is: 'resolved' })
})

served(
  '[5.0 MQTT-3.3.1-1] [5.0 MQTT-4.3.2-2] DUP is 0 at first, and 1 when it is sent again',
  async ({ connects, isCalledAgain }) => {
    const [client, first] = await connects({ sessionExpirySeconds: 60 })
    const one = await publishes(client, first, 'one', { qos: 1 })
    const two = await publishes(client, first, 'two', { qos: 2 })
    await first.breaks()
    const second = await isCalledAgain()
    await second.accepts({ sessionPresent: true })
    await second.receives({ type: PacketType.Publish, topicName: 'one', qos: 1, dup: true, packetIdentifier: one })
    await second.receives({ type: PacketType.Publish, topicName: 'two', qos: 2, dup: true, packetIdentifier: two })
    await second.sends(puback(one))
    void client.publish('three', '', { qos: 1 })
    await second.receives({ type: PacketType.Publish, topicName: 'three', qos: 1, dup: false })
  }
)

/** What a server must not send. */
const ERRORS = [
  { what: 'QoS 3', bytes: "36 [0001 't' 0001 00]", reasonCode: MalformedPacket },
  { what: 'QoS 0 with DUP', bytes: "38 [0001 't' 00]", reasonCode: MalformedPacket },
  { what: 'a wildcard in the topic', bytes: "30 [0001 '#' 00]", reasonCode: TopicNameInvalid },
  { what: 'neither topic nor alias', bytes: '30 [0000 00]', reasonCode: ProtocolError },
  { what: 'a wildcard in the Response Topic', bytes: "30 [0001 't' [08 0001 '#']]", reasonCode: ProtocolError },
  { what: 'Packet Identifier 0', bytes: "32 [0001 't' 0000 00]", reasonCode: ProtocolError },
  { what: 'a Content Type that is no text', bytes: "30 [0001 't' [03 0001 ff]]", reasonCode: MalformedPacket },
  { what: 'a Response Topic that is no text', bytes: "30 [0001 't' [08 0001 ff]]", reasonCode: MalformedPacket },
  { what: 'a topic cut short', bytes: "30 [0005 't' 00]", reasonCode: MalformedPacket }
]

for (const { what, bytes, reasonCode } of ERRORS) {
  served(
    `[5.0 MQTT-2.2.1-2] [5.0 MQTT-3.3.1-2] [5.0 MQTT-3.3.1-4] [5.0 MQTT-3.3.2-1] [5.0 MQTT-3.3.2-2] [5.0 MQTT-3.3.2-13] [5.0 MQTT-3.3.2-14] [5.0 MQTT-3.3.2-19] [5.0 MQTT-4.7.0-1] [5.0 MQTT-4.7.3-1] a PUBLISH with ${what} ends the connection`,
    async ({ connects }) => {
      const [, server] = await connects()
      await server.sendsBytes(packetHex(bytes))
      const { reasonCode: told } = await server.receives({ type: PacketType.Disconnect })
      await server.isClosed()
      expect([reasonCode, MalformedPacket, ProtocolError]).toContain(told)
    }
  )
}

/** Each a Protocol Error or Malformed Packet without a number. */
const UNNUMBERED = [
  { what: 'two Content Types', bytes: "30 [0001 't' [03 0001 'a' 03 0001 'b']]", reasonCode: ProtocolError },
  { what: 'Payload Format Indicator 2', bytes: "30 [0001 't' [01 02]]", reasonCode: ProtocolError },
  { what: 'Subscription Identifier 0', bytes: "30 [0001 't' [0b 00]]", reasonCode: ProtocolError },
  { what: 'a property of CONNECT', bytes: "30 [0001 't' [21 0001]]", reasonCode: MalformedPacket },
  { what: 'a property that does not exist', bytes: "30 [0001 't' [7f 00]]", reasonCode: MalformedPacket },
  { what: 'a property cut short', bytes: "30 [0001 't' [02 0000]]", reasonCode: MalformedPacket }
] as const

for (const { what, bytes, reasonCode } of UNNUMBERED) {
  served(`a PUBLISH with ${what} ends the connection`, async ({ connects }) => {
    const [, server] = await connects()
    await server.sendsBytes(packetHex(bytes))
    await isDisconnected(server, reasonCode)
  })
}
