import { PacketType, ReasonCode, RetainHandling } from '@godwit/protocol'
import { puback, scenario } from '@godwit/testkit'

scenario('[5.0 MQTT-3.3.1-9] Retain Handling 0: retained messages are sent at every SUBSCRIBE', async ({ connects }) => {
  const publisher = await connects()
  await publisher.publishes('t', 'kept', { retain: true })
  const subscriber = await connects()
  for (let time = 0; time < 3; time++) {
    await subscriber.subscribes('t', { retainHandling: RetainHandling.SendAtSubscribe })
    await subscriber.receives({ type: PacketType.Publish, topicName: 't', payload: 'kept', retain: true })
  }
})

scenario('[5.0 MQTT-3.3.1-9] the retained message comes after the SUBACK', async ({ connects }) => {
  const publisher = await connects()
  await publisher.publishes('t', 'k', { retain: true })
  for (const sessionExpirySeconds of [0, 60]) {
    const subscriber = await connects({ sessionExpirySeconds })
    await subscriber.sendsBytes('82 07 00 05 00 00 01 74 00')
    await subscriber.receivesBytes('90 04 00 05 00 00')
    await subscriber.receivesBytes('31 05 00 01 74 00 6b')
  }
})

scenario(
  '[5.0 MQTT-3.3.1-10] Retain Handling 1: retained messages are sent if the subscription did not exist, and not if it did',
  async ({ connects }) => {
    const publisher = await connects()
    await publisher.publishes('t', 'kept', { retain: true })
    const subscriber = await connects({ sessionExpirySeconds: 60 })
    await subscriber.subscribes('t', { retainHandling: RetainHandling.SendIfNew })
    await subscriber.receives({ type: PacketType.Publish, topicName: 't', payload: 'kept', retain: true })
    await subscriber.subscribes('t', { retainHandling: RetainHandling.SendIfNew, qos: 1 })
    await subscriber.receivesNothing()
    await subscriber.dropsConnection()
    const back = await subscriber.reconnects()
    await back.subscribes('t', { retainHandling: RetainHandling.SendIfNew })
    await back.receivesNothing()
    await back.unsubscribes('t')
    await back.subscribes('t', { retainHandling: RetainHandling.SendIfNew })
    await back.receives({ type: PacketType.Publish, topicName: 't', payload: 'kept', retain: true })
    await back.dropsConnection()
    const anew = await subscriber.reconnects({ cleanStart: true })
    await anew.subscribes('t', { retainHandling: RetainHandling.SendIfNew })
    await anew.receives({ type: PacketType.Publish, topicName: 't', payload: 'kept', retain: true })
  }
)

scenario('[5.0 MQTT-3.3.1-10] another filter is another subscription, though both match', async ({ connects }) => {
  const publisher = await connects()
  await publisher.publishes('t', 'kept', { retain: true })
  const subscriber = await connects()
  await subscriber.subscribes('t', { retainHandling: RetainHandling.SendIfNew })
  await subscriber.receives({ type: PacketType.Publish, payload: 'kept', retain: true })
  await subscriber.subscribes('+', { retainHandling: RetainHandling.SendIfNew })
  await subscriber.receives({ type: PacketType.Publish, payload: 'kept', retain: true })
})

scenario('[5.0 MQTT-3.3.1-11] Retain Handling 2: no retained messages are sent', async ({ connects }) => {
  const publisher = await connects()
  await publisher.publishes('t', 'kept', { retain: true })
  const subscriber = await connects()
  await subscriber.subscribes('t', { retainHandling: RetainHandling.DoNotSend })
  await subscriber.subscribes('t', { retainHandling: RetainHandling.DoNotSend })
  await subscriber.receivesNothing()
  await publisher.publishes('t', 'live', { retain: true })
  await subscriber.receives({ type: PacketType.Publish, payload: 'live', retain: false })
})

scenario('[5.0 MQTT-3.8.3-5] Retain Handling 3 is a Protocol Error', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('82 07 00 01 00 00 01 74 30')
  await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
})

scenario(
  '[5.0 MQTT-3.8.4-4] replacing a subscription with Retain Handling 0 sends the retained messages again, with the new QoS',
  async ({ connects }) => {
    const publisher = await connects()
    await publisher.publishes('t/1', 'one', { qos: 2, retain: true })
    await publisher.publishes('t/2', 'two', { qos: 2, retain: true })
    const subscriber = await connects()
    await subscriber.subscribes('t/+', { qos: 0 })
    await subscriber.receivesInAnyOrder(
      { type: PacketType.Publish, payload: 'one', qos: 0, retain: true },
      { type: PacketType.Publish, payload: 'two', qos: 0, retain: true }
    )
    await subscriber.subscribes('t/+', { qos: 1 })
    await subscriber.receivesInAnyOrder(
      { type: PacketType.Publish, payload: 'one', qos: 1, retain: true },
      { type: PacketType.Publish, payload: 'two', qos: 1, retain: true }
    )
    await publisher.publishes('t/1', 'once', { qos: 1 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'once' })
  }
)

scenario('[5.0 MQTT-3.8.4-4] no message is lost when a subscription is replaced', async ({ connects }) => {
  for (const sessionExpirySeconds of [0, 600]) {
    const subscriber = await connects({ sessionExpirySeconds, receiveMaximum: 1, acknowledges: false })
    await subscriber.subscribes('live', { qos: 1 })
    const publisher = await connects()
    for (const payload of ['1', '2', '3']) await publisher.publishes('live', payload, { qos: 1 })
    await subscriber.receives({ type: PacketType.Publish, payload: '1' })
    await subscriber.subscribes('live', { qos: 1, identifier: 5, retainHandling: RetainHandling.DoNotSend })
    await publisher.publishes('live', '4', { qos: 1 })
    subscriber.acknowledges = true
    await subscriber.sends(puback(1))
    await subscriber.receives({ type: PacketType.Publish, payload: '2' })
    await subscriber.receives({ type: PacketType.Publish, payload: '3' })
    await subscriber.receives({ type: PacketType.Publish, payload: '4', properties: { subscriptionIdentifiers: [5] } })
    await subscriber.disconnects()
  }
})

scenario(
  '[5.0 MQTT-3.8.4-4] [5.0 MQTT-3.3.1-10] replacing a subscription does not lose the retained messages that still wait for room',
  async ({ connects }) => {
    const publisher = await connects()
    for (const topicName of ['t/1', 't/2', 't/3']) await publisher.publishes(topicName, topicName, { qos: 1, retain: true })
    for (const retainHandling of [RetainHandling.SendIfNew, RetainHandling.DoNotSend]) {
      for (const sessionExpirySeconds of [0, 600]) {
        const subscriber = await connects({ sessionExpirySeconds, receiveMaximum: 1, acknowledges: false })
        await subscriber.subscribes('t/+', { qos: 1 })
        const first = await subscriber.receives({ type: PacketType.Publish, retain: true })
        await subscriber.subscribes('t/+', { qos: 1, retainHandling })
        subscriber.acknowledges = true
        await subscriber.sends(puback(1))
        const others = ['t/1', 't/2', 't/3'].filter((topicName) => topicName !== first.topicName)
        await subscriber.receivesInAnyOrder(
          ...others.map((topicName) => ({ type: PacketType.Publish, topicName, retain: true }) as const)
        )
        await subscriber.disconnects()
      }
    }
  }
)
