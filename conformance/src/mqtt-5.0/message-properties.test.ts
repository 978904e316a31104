import { PacketType, ReasonCode } from '@godwit/protocol'
import { publish, scenario } from '@godwit/testkit'

/** Everything that a publisher may say of a message, but for its expiry. */
const EVERYTHING = {
  payloadFormatIndicator: 1,
  contentType: 'text/plain; charset=utf-8',
  responseTopic: 'answers/client-1',
  correlationData: new Uint8Array([0x00, 0xff, 0x10]),
  userProperties: [
    ['b', '1'],
    ['a', '2'],
    ['b', '1'],
    ['', ''],
    ['a', 'ü🦆']
  ]
} as const

scenario(
  '[5.0 MQTT-3.3.2-4] [5.0 MQTT-3.3.2-15] [5.0 MQTT-3.3.2-16] [5.0 MQTT-3.3.2-17] [5.0 MQTT-3.3.2-18] [5.0 MQTT-3.3.2-20] a message goes to every subscriber with its properties as they were, in order',
  async ({ connects }) => {
    const subscribers = [await connects(), await connects(), await connects()]
    for (const [index, subscriber] of subscribers.entries()) {
      await subscriber.subscribes('questions', { qos: index === 0 ? 0 : index === 1 ? 1 : 2 })
    }
    const publisher = await connects()
    await publisher.publishes('questions', 'why?', { qos: 2, ...EVERYTHING })
    for (const subscriber of subscribers) {
      await subscriber.receives({
        type: PacketType.Publish,
        topicName: 'questions',
        payload: 'why?',
        properties: { ...EVERYTHING, userProperties: EVERYTHING.userProperties }
      })
    }
  }
)

scenario(
  '[5.0 MQTT-3.3.2-4] [5.0 MQTT-3.3.2-15] [5.0 MQTT-3.3.2-16] [5.0 MQTT-3.3.2-17] [5.0 MQTT-3.3.2-18] [5.0 MQTT-3.3.2-20] a message that has waited for its subscriber, or was retained, has its properties as they were',
  async ({ connects, broker }) => {
    const subscriber = await connects({ clientId: 'subscriber', sessionExpirySeconds: 600 })
    await subscriber.subscribes('questions', { qos: 1 })
    await subscriber.dropsConnection()
    const publisher = await connects()
    await publisher.publishes('questions', 'why?', { qos: 1, retain: true, ...EVERYTHING })
    await broker.restarts()
    const back = await subscriber.reconnects()
    await back.receives({ type: PacketType.Publish, payload: 'why?', retain: false, properties: { ...EVERYTHING } })
    await back.subscribes('questions', { qos: 1 })
    await back.receives({ type: PacketType.Publish, payload: 'why?', retain: true, properties: { ...EVERYTHING } })
  }
)

scenario('[5.0 MQTT-3.3.2-4] Payload Format Indicator 0 is not left out, and absent is not made 0', async ({ connects }) => {
  const subscriber = await connects()
  await subscriber.subscribes('t')
  const publisher = await connects()
  await publisher.publishes('t', '', { payloadFormatIndicator: 0 })
  await subscriber.receivesBytes('30 06 00 01 74 02 01 00')
  await publisher.publishes('t', '', { payloadFormatIndicator: 1 })
  await subscriber.receivesBytes('30 06 00 01 74 02 01 01')
  await publisher.publishes('t')
  await subscriber.receivesBytes('30 04 00 01 74 00')
})

scenario('[5.0 MQTT-3.3.2-4] a Payload Format Indicator of neither 0 nor 1', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('30 06 00 01 74 02 01 02')
  await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
})

scenario('[5.0 MQTT-3.3.2-13] a Response Topic that is not UTF-8 is malformed', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('30 09 00 01 74 05 08 00 02 c3 28')
  await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
})

scenario('[5.0 MQTT-3.3.2-14] a Response Topic with a wildcard', async ({ connects }) => {
  for (const responseTopic of ['answers/+', '#', 'a#']) {
    const client = await connects()
    await client.sends(publish('t', '', { responseTopic }))
    await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
  }
})

scenario('[5.0 MQTT-3.3.2-19] a Content Type that is not UTF-8 is malformed', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('30 09 00 01 74 05 03 00 02 c3 28')
  await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
})

scenario('[5.0 MQTT-3.3.2-15] [5.0 MQTT-3.3.2-16] a question finds its answer: request and response', async ({ connects }) => {
  const responder = await connects({ clientId: 'responder' })
  await responder.subscribes('questions', { qos: 1 })
  const requester = await connects({ clientId: 'requester' })
  await requester.subscribes('answers/requester', { qos: 1 })
  await requester.publishes('questions', '6 * 7', {
    qos: 1,
    responseTopic: 'answers/requester',
    correlationData: new Uint8Array([0, 1, 2])
  })
  const { properties } = await responder.receives({ type: PacketType.Publish, payload: '6 * 7' })
  await responder.publishes(properties.responseTopic ?? '', '42', { qos: 1, correlationData: properties.correlationData })
  await requester.receives({
    type: PacketType.Publish,
    topicName: 'answers/requester',
    payload: '42',
    properties: { correlationData: new Uint8Array([0, 1, 2]) }
  })
})

scenario('[5.0 MQTT-3.3.2-17] 3.1.1 subscribers get the message without its properties', async ({ connects }) => {
  const subscriber = await connects({ version: 4 })
  await subscriber.subscribes('t')
  const publisher = await connects()
  await publisher.publishes('t', 'a', EVERYTHING)
  await subscriber.receivesBytes('30 04 00 01 74 61')
})
