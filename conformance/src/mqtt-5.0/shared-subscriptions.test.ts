import { PacketType, ReasonCode } from '@godwit/protocol'
import { scenario } from '@godwit/testkit'
import { expect } from 'vitest'

scenario(
  '[5.0 MQTT-4.8.2-1] [5.0 MQTT-4.8.2-2] what begins with $share/ has a ShareName without wildcards and a Topic Filter, or gets 0x8F',
  async ({ connects, broker }) => {
    const client = await connects()
    const filters = [
      '$share/',
      '$share//',
      '$share//t',
      '$share/g',
      '$share/g/',
      '$share/g+/t',
      '$share/+/t',
      '$share/#',
      '$share/#/t',
      '$share/g#/t',
      '$share/g/t#',
      '$share/g/+t',
      '$share/g/#/t'
    ]
    for (const filter of filters) await client.subscribes(filter, { expects: [ReasonCode.TopicFilterInvalid] })
    expect(broker.running.counts.subscriptions).toBe(0)
  }
)

scenario('[5.0 MQTT-4.8.2-1] [5.0 MQTT-4.8.2-2] any other ShareName and filter will do', async ({ connects }) => {
  const client = await connects()
  await client.subscribes([
    '$share/g/t',
    '$share/ü 🦆/t/#',
    '$share/$/+/+',
    '$share/g//',
    '$share/share/$share/g/t',
    '$share/g/#'
  ])
  const publisher = await connects()
  await publisher.publishes('$share/g/t', 'a topic like any other')
  await client.receives({ type: PacketType.Publish, topicName: '$share/g/t', payload: 'a topic like any other' })
  await publisher.publishes('/', 'slash')
  for (let copy = 0; copy < 3; copy++) await client.receives({ type: PacketType.Publish, topicName: '/' })
})

scenario('[5.0 MQTT-4.8.2-1] $share without a slash behind it is an ordinary filter', async ({ connects }) => {
  const client = await connects()
  await client.subscribes('$share')
  const publisher = await connects()
  await publisher.publishes('$share', 'x')
  await client.receives({ type: PacketType.Publish, topicName: '$share', payload: 'x' })
})

scenario(
  '[5.0 MQTT-4.8.2-3] each message goes to one member of each share, and to every other subscriber',
  async ({ connects }) => {
    const one = [await connects(), await connects(), await connects()]
    for (const member of one) await member.subscribes('$share/one/t/+', { qos: 1 })
    const two = [await connects(), await connects()]
    for (const member of two) await member.subscribes('$share/two/t/+', { qos: 1 })
    const other = await connects()
    await other.subscribes('$share/one/t/#', { qos: 1 })
    const plain = await connects()
    await plain.subscribes('t/+', { qos: 1 })
    const publisher = await connects()
    for (const qos of [0, 1, 2] as const) {
      for (let message = 0; message < 6; message++) await publisher.publishes(`t/${message}`, `${qos}`, { qos })
    }
    const counts = [...one, ...two, other, plain].map((client) => client.inbox.length)
    for (const client of [...one, ...two, other, plain]) client.ignoresTheRest()
    expect(counts).toEqual([6, 6, 6, 9, 9, 18, 18])
  }
)

scenario('[5.0 MQTT-4.8.2-3] each member gets messages at the QoS granted to it', async ({ connects }) => {
  for (const sessionExpirySeconds of [0, 600]) {
    const members = [
      await connects({ sessionExpirySeconds }),
      await connects({ sessionExpirySeconds }),
      await connects({ sessionExpirySeconds })
    ]
    for (const [index, member] of members.entries()) {
      await member.subscribes('$share/g/t', { qos: index === 0 ? 0 : index === 1 ? 1 : 2 })
    }
    const publisher = await connects()
    for (const published of [2, 1, 0] as const) {
      for (let message = 0; message < 3; message++) await publisher.publishes('t', 'x', { qos: published })
      for (const [granted, member] of members.entries()) {
        await member.receives({
          type: PacketType.Publish,
          payload: 'x',
          qos: granted < published ? (granted === 0 ? 0 : 1) : published
        })
      }
    }
    for (const member of members) await member.disconnects({ sessionExpirySeconds: 0 })
  }
})

scenario(
  '[5.0 MQTT-4.8.2-3] a client in a share gets its copies of it and of its own subscriptions separately',
  async ({ connects }) => {
    const client = await connects()
    await client.subscribes(['t', '$share/g/t', '$share/h/t'], { qos: 1 })
    const publisher = await connects()
    await publisher.publishes('t', 'x', { qos: 1 })
    for (let copy = 0; copy < 3; copy++) await client.receives({ type: PacketType.Publish, payload: 'x', qos: 1 })
  }
)

scenario('[5.0 MQTT-3.3.1-9] a shared subscription brings no retained messages', async ({ connects }) => {
  const publisher = await connects()
  await publisher.publishes('t', 'kept', { qos: 1, retain: true })
  const member = await connects()
  await member.subscribes('$share/g/t', { qos: 1 })
  await member.receivesNothing()
  await publisher.publishes('t', 'live', { qos: 1, retain: true })
  await member.receives({ type: PacketType.Publish, payload: 'live', retain: false })
})

scenario(
  '[5.0 MQTT-4.8.2-6] a PUBACK or PUBREC of 0x80 and above discards the message: no other member gets it',
  async ({ connects, broker }) => {
    for (const sessionExpirySeconds of [0, 600]) {
      const refusing = await connects({ sessionExpirySeconds, acknowledges: false })
      await refusing.subscribes('$share/g/t', { qos: 2 })
      const publisher = await connects()
      await publisher.publishes('t', 'refused', { qos: 1 })
      await publisher.publishes('t', 'refused too', { qos: 2 })
      const other = await connects({ sessionExpirySeconds })
      await other.subscribes('$share/g/t', { qos: 2 })
      await refusing.receives({ type: PacketType.Publish, payload: 'refused', packetIdentifier: 1 })
      await refusing.receives({ type: PacketType.Publish, payload: 'refused too', packetIdentifier: 2 })
      await refusing.sendsBytes('40 03 00 01 80 50 03 00 02 97')
      await refusing.disconnects({ sessionExpirySeconds: 0 })
      await other.receivesNothing()
      await other.disconnects({ sessionExpirySeconds: 0 })
    }
    expect(broker.running.fates.get('refused-by-client')).toBe(4)
  }
)

scenario('[5.0 MQTT-4.8.2-3] members that leave get nothing more, and the share ends with the last', async ({ connects }) => {
  const publisher = await connects()
  for (const sessionExpirySeconds of [0, 600]) {
    const one = await connects({ sessionExpirySeconds })
    const two = await connects({ sessionExpirySeconds })
    for (const member of [one, two]) await member.subscribes('$share/g/t', { qos: 1 })
    await one.unsubscribes('$share/g/t')
    for (const payload of ['1', '2', '3']) {
      await publisher.publishes('t', payload, { qos: 1 })
      await two.receives({ type: PacketType.Publish, payload })
    }
    await two.unsubscribes('$share/g/t')
    await publisher.publishes('t', '4', { qos: 1, expects: ReasonCode.NoMatchingSubscribers })
    await one.subscribes('$share/g/t', { qos: 1 })
    await one.receivesNothing()
    await one.disconnects({ sessionExpirySeconds: 0 })
  }
})

scenario('[5.0 MQTT-4.8.2-1] 3.1.1 clients share with 5.0 clients', async ({ connects }) => {
  const one = await connects({ version: 4 })
  const two = await connects()
  for (const member of [one, two]) await member.subscribes('$share/g/t', { qos: 1 })
  const publisher = await connects()
  for (const payload of ['1', '2']) await publisher.publishes('t', payload, { qos: 1 })
  await one.receives({ type: PacketType.Publish, payload: '1' })
  await two.receives({ type: PacketType.Publish, payload: '2' })
})
