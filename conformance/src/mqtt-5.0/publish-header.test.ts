import { PacketType, ReasonCode } from '@godwit/protocol'
import { puback, publish, scenario } from '@godwit/testkit'

scenario('[5.0 MQTT-3.3.1-4] [5.0 MQTT-4.13.1-1] a PUBLISH with both QoS bits set is malformed', async ({ connects }) => {
  for (const firstByte of ['36', '37', '3e', '3f']) {
    const client = await connects()
    await client.sendsBytes(`${firstByte} 06 00 01 74 00 01 00`)
    await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  }
})

scenario('[5.0 MQTT-3.3.1-2] a PUBLISH with DUP 1 at QoS 0 is malformed', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('38 04 00 01 74 00')
  await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
})

scenario(
  '[5.0 MQTT-3.3.1-2] [5.0 MQTT-4.3.1-1] [5.0 MQTT-2.2.1-2] what the server sends at QoS 0 has DUP 0 and no Packet Identifier',
  async ({ connects }) => {
    const subscriber = await connects()
    await subscriber.subscribes('t')
    const publisher = await connects()
    await publisher.publishes('t', 'a', { qos: 0 })
    await publisher.publishes('t', 'b', { qos: 1, dup: true })
    await publisher.publishes('t', 'c', { qos: 2, dup: true })
    await subscriber.receivesBytes('30 05 00 01 74 00 61')
    await subscriber.receivesBytes('30 05 00 01 74 00 62')
    await subscriber.receivesBytes('30 05 00 01 74 00 63')
  }
)

scenario('[5.0 MQTT-3.3.1-3] the DUP flag of the publisher does not go on to subscribers', async ({ connects }) => {
  const subscriber = await connects()
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects()
  await publisher.publishes('t', 'one', { qos: 1, dup: true })
  await subscriber.receives({ type: PacketType.Publish, payload: 'one', qos: 1, dup: false })
  await publisher.publishes('t', 'two', { qos: 2, dup: true })
  await subscriber.receives({ type: PacketType.Publish, payload: 'two', qos: 2, dup: false })
})

scenario(
  '[5.0 MQTT-3.3.1-1] [5.0 MQTT-3.3.1-3] a PUBLISH that is sent again has DUP 1, though its publisher set 0',
  async ({ connects }) => {
    const subscriber = await connects({ sessionExpirySeconds: 60, acknowledges: false })
    await subscriber.subscribes('t', { qos: 1 })
    const publisher = await connects()
    await publisher.publishes('t', 'one', { qos: 1, dup: false })
    await subscriber.receivesBytes('32 09 00 01 74 00 01 00 6f 6e 65')
    await subscriber.dropsConnection()
    const back = await subscriber.reconnects()
    await back.receivesBytes('3a 09 00 01 74 00 01 00 6f 6e 65')
    await back.sends(puback(1))
    await publisher.publishes('t', 'two', { qos: 1 })
    await back.receives({ type: PacketType.Publish, payload: 'two', dup: false, packetIdentifier: 2 })
  }
)

scenario('[5.0 MQTT-3.3.2-1] a PUBLISH whose Topic Name is not UTF-8 is malformed', async ({ connects }) => {
  const topicNames = [
    { what: 'a lone continuation byte', bytes: '80' },
    { what: 'an overlong form', bytes: 'c0 af' },
    { what: 'an encoded surrogate', bytes: 'ed a0 80' },
    { what: 'a character cut short', bytes: 'e2 82' },
    { what: 'U+0000', bytes: '61 00' }
  ]
  for (const { bytes } of topicNames) {
    const length = bytes.split(' ').length
    const client = await connects()
    await client.sendsBytes(`30 0${length + 3} 00 0${length} ${bytes} 00`)
    await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  }
})

scenario('[5.0 MQTT-3.3.2-1] [5.0 MQTT-4.7.3-1] a PUBLISH with neither Topic Name nor Topic Alias', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('30 04 00 00 00 61')
  await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
})

scenario(
  '[5.0 MQTT-3.3.2-2] [5.0 MQTT-4.7.0-1] a PUBLISH whose Topic Name has a wildcard is refused, at every QoS',
  async ({ connects }) => {
    const watcher = await connects()
    await watcher.subscribes('#', { qos: 2 })
    for (const topicName of ['#', '+', 'a/#', 'a/+/b', 'a+', 'b#c']) {
      for (const qos of [0, 1, 2] as const) {
        const client = await connects()
        await client.sends(publish(topicName, 'never', { qos }))
        await client.isDisconnected({ reasonCode: ReasonCode.TopicNameInvalid })
      }
    }
    await watcher.receivesNothing()
  }
)

scenario('[5.0 MQTT-3.3.2-3] only what a filter matches reaches its subscriber', async ({ connects }) => {
  const subscriber = await connects()
  await subscriber.subscribes(['sport/+/player1', 'sport/tennis/#'])
  const publisher = await connects()
  for (const topicName of ['sport/golf', 'sport/golf/player2', 'finance', 'Sport/tennis', 'sport/golf/player1/ranking']) {
    await publisher.publishes(topicName, 'no')
  }
  await subscriber.receivesNothing()
  await publisher.publishes('sport/golf/player1', 'yes')
  await subscriber.receives({ type: PacketType.Publish, topicName: 'sport/golf/player1', payload: 'yes' })
  await publisher.publishes('sport/tennis', 'yes')
  await subscriber.receives({ type: PacketType.Publish, topicName: 'sport/tennis', payload: 'yes' })
})

scenario('[5.0 MQTT-3.3.4-6] a PUBLISH from a client with a Subscription Identifier', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('30 06 00 01 74 02 0b 01')
  await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
})

scenario('[5.0 MQTT-2.2.1-3] a PUBLISH at QoS 1 or 2 with Packet Identifier 0', async ({ connects }) => {
  for (const firstByte of ['32', '34']) {
    const client = await connects()
    await client.sendsBytes(`${firstByte} 06 00 01 74 00 00 00`)
    await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
  }
})
