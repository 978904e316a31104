import { PacketType, ReasonCode } from '@godwit/protocol'
import { scenario } from '@godwit/testkit'
import { expect } from 'vitest'

const VERSIONS = [3, 4, 5] as const

for (const from of VERSIONS) {
  for (const to of VERSIONS) {
    scenario(
      `[3.1.1 MQTT-7.0.0-2] what a client of level ${from} publishes reaches one of level ${to} at every QoS`,
      async ({ connects }) => {
        const subscriber = await connects({ version: to })
        await subscriber.subscribes('t', { qos: 2 })
        const publisher = await connects({ version: from })
        for (const qos of [0, 1, 2] as const) {
          await publisher.publishes('t', `m${qos}`, { qos })
          await subscriber.receives({
            type: PacketType.Publish,
            topicName: 't',
            payload: `m${qos}`,
            qos,
            retain: false,
            properties: {}
          })
        }
      }
    )
  }
}

scenario(
  '[3.1.1 MQTT-7.0.0-2] a 3.1.1 client gets the messages of 5.0 clients without their properties',
  async ({ connects }) => {
    const old = await connects({ version: 4, acknowledges: false })
    await old.subscribes('t', { qos: 1 })
    const modern = await connects({ version: 5 })
    const properties = {
      payloadFormatIndicator: 1,
      messageExpiryInterval: 60,
      contentType: 'text/plain',
      responseTopic: 'answers',
      correlationData: Buffer.from('question'),
      userProperties: [['name', 'value']]
    } as const
    await modern.publishes('t', 'm', properties)
    await old.receivesBytes('30 04 00 01 74 6d')
    await modern.publishes('t', 'm', { qos: 1, ...properties })
    await old.receivesBytes('32 06 00 01 74 00 01 6d')
  }
)

scenario('[3.1.1 MQTT-7.0.0-2] and with their whole topic where a 5.0 client used an alias', async ({ connects }) => {
  const old = await connects({ version: 4 })
  await old.subscribes('t/#')
  const modern = await connects({ version: 5 })
  await modern.publishes('t/long', 'one', { topicAlias: 1 })
  await modern.publishes('', 'two', { topicAlias: 1 })
  await old.receives({ type: PacketType.Publish, topicName: 't/long', payload: 'one' })
  await old.receives({ type: PacketType.Publish, topicName: 't/long', payload: 'two' })
})

scenario(
  '[3.1.1 MQTT-7.0.0-2] a message that expires is not sent to a 3.1.1 client either',
  async ({ connects, clock, broker }) => {
    const old = await connects({ version: 4, cleanStart: false })
    await old.subscribes('t', { qos: 1 })
    await old.dropsConnection()
    const modern = await connects({ version: 5 })
    await modern.publishes('t', 'short', { qos: 1, messageExpiryInterval: 10 })
    await modern.publishes('t', 'long', { qos: 1, messageExpiryInterval: 100 })
    await clock.advancesSeconds(11)
    const back = await old.reconnects()
    await back.receives({ type: PacketType.Publish, payload: 'long', properties: {} })
    await back.receivesNothing()
    expect(broker.running.fates.get('expired')).toBe(1)
  }
)

scenario(
  '[3.1.1 MQTT-7.0.0-2] a retained message that has expired is not sent to a new 3.1.1 subscription',
  async ({ connects, clock }) => {
    const modern = await connects({ version: 5 })
    await modern.publishes('t/1', 'short', { qos: 1, retain: true, messageExpiryInterval: 10 })
    await modern.publishes('t/2', 'for ever', { qos: 1, retain: true })
    await clock.advancesSeconds(11)
    const old = await connects({ version: 4 })
    await old.subscribes('t/+', { qos: 1 })
    await old.receives({ type: PacketType.Publish, topicName: 't/2', payload: 'for ever', retain: true })
    await old.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-7.0.0-2] 5.0 subscribers have their options and identifiers for 3.1.1 publishers too',
  async ({ connects }) => {
    const modern = await connects({ version: 5 })
    await modern.subscribes([['t', { qos: 1, retainAsPublished: true }]], { identifier: 7 })
    const old = await connects({ version: 4 })
    await old.publishes('t', 'm', { qos: 2, retain: true })
    await modern.receives({
      type: PacketType.Publish,
      payload: 'm',
      qos: 1,
      retain: true,
      properties: { subscriptionIdentifiers: [7] }
    })
  }
)

scenario('[3.1.1 MQTT-3.1.4-2] a 3.1.1 client takes over from a 5.0 client, which is told 0x8E', async ({ connects }) => {
  const modern = await connects({ version: 5, clientId: 'device' })
  const old = await connects({ version: 4, clientId: 'device' })
  await modern.isDisconnected({ reasonCode: ReasonCode.SessionTakenOver })
  await old.receivesNothing()
})

scenario('[3.1.1 MQTT-3.1.4-2] a 5.0 client takes over from a 3.1.1 client, which is only disconnected', async ({ connects }) => {
  const old = await connects({ version: 4, clientId: 'device' })
  const modern = await connects({ version: 5, clientId: 'device' })
  await old.isClosed()
  await modern.receivesNothing()
})

scenario('[3.1.1 MQTT-3.1.2-4] a session goes on when its client changes its version', async ({ connects }) => {
  const old = await connects({ version: 4, clientId: 'device', cleanStart: false, acknowledges: false })
  await old.subscribes('t', { qos: 2 })
  const publisher = await connects({ version: 5 })
  await publisher.publishes('t', 'begun', { qos: 1, contentType: 'text/plain' })
  await old.receives({ type: PacketType.Publish, payload: 'begun', dup: false, packetIdentifier: 1, properties: {} })
  await old.disconnects()
  await publisher.publishes('t', 'waited', { qos: 2, contentType: 'text/plain' })
  const modern = await connects({
    version: 5,
    clientId: 'device',
    cleanStart: false,
    sessionExpirySeconds: 100,
    acknowledges: false
  })
  expect(modern.connack.sessionPresent).toBe(true)
  const properties = { contentType: 'text/plain' }
  await modern.receives({ type: PacketType.Publish, payload: 'begun', dup: true, packetIdentifier: 1, properties })
  await modern.receives({ type: PacketType.Publish, payload: 'waited', qos: 2, dup: false, packetIdentifier: 2, properties })
  await modern.dropsConnection()
  const again = await connects({ version: 4, clientId: 'device', cleanStart: false })
  expect(again.connack.sessionPresent).toBe(true)
  await again.receives({ type: PacketType.Publish, payload: 'begun', dup: true, packetIdentifier: 1, properties: {} })
  await again.receives({ type: PacketType.Publish, payload: 'waited', dup: true, packetIdentifier: 2, properties: {} })
})

scenario(
  '[3.1.1 MQTT-3.1.2-5] as a 3.1.1 client’s it does not expire any more, whatever 5.0 had said',
  async ({ connects, clock }) => {
    const modern = await connects({ version: 5, clientId: 'device', sessionExpirySeconds: 10 })
    await modern.dropsConnection()
    const old = await connects({ version: 4, clientId: 'device', cleanStart: false })
    expect(old.connack.sessionPresent).toBe(true)
    await old.dropsConnection()
    await clock.advancesSeconds(1_000_000)
    const back = await old.reconnects()
    expect(back.connack.sessionPresent).toBe(true)
  }
)

scenario('[3.1.1 MQTT-3.1.2-4] a 5.0 session that ends with its connection is none to go on in', async ({ connects }) => {
  const modern = await connects({ version: 5, clientId: 'device' })
  await modern.subscribes('t', { qos: 1 })
  const old = await connects({ version: 4, clientId: 'device', cleanStart: false })
  expect(old.connack.sessionPresent).toBe(false)
  await modern.isDisconnected({ reasonCode: ReasonCode.SessionTakenOver })
})

scenario('[3.1.1 4.7] $share of 3.1.1 clients is a shared subscription, together with 5.0 clients', async ({ connects }) => {
  const old = await connects({ version: 4 })
  await old.subscribes('$share/group/t/+', { qos: 1 })
  const modern = await connects({ version: 5 })
  await modern.subscribes('$share/group/t/+', { qos: 1 })
  const alone = await connects({ version: 4 })
  await alone.subscribes('$share/other/t/#', { qos: 1 })
  const publisher = await connects({ version: 4 })
  for (let number = 0; number < 4; number++) await publisher.publishes(`t/${number}`, 'm', { qos: 1 })
  expect(old.inbox).toHaveLength(2)
  expect(modern.inbox).toHaveLength(2)
  for (let number = 0; number < 4; number++) await alone.receives({ type: PacketType.Publish, topicName: `t/${number}` })
  old.ignoresTheRest()
  modern.ignoresTheRest()
})

scenario(
  '[3.1.1 4.7] a $share filter that no group can be made of gets 0x80, and closes nothing',
  async ({ connects, broker }) => {
    const old = await connects({ version: 4 })
    const filters = ['$share/group', '$share//t', '$share/+/t', '$share/group/', '$share/']
    await old.subscribes(filters, { expects: filters.map(() => 0x80) })
    expect(broker.running.counts.subscriptions).toBe(0)
  }
)

scenario(
  '[3.1.1 4.7] with shared subscriptions switched off $share gets 0x80',
  { features: { sharedSubscriptionAvailable: false } },
  async ({ connects }) => {
    const old = await connects({ version: 4 })
    await old.subscribes(['$share/group/t', 't'], { expects: [0x80, 0] })
  }
)

scenario(
  '[3.1.1 MQTT-3.9.3-2] failures that 5.0 clients are told by name are 0x80 to 3.1.1 clients',
  async ({ connects, broker }) => {
    await broker.restarts({ authorize: (_client, request) => request.action === 'publish' })
    const modern = await connects({ version: 5 })
    await modern.subscribes('t', { expects: [ReasonCode.NotAuthorized] })
    const old = await connects({ version: 4 })
    await old.subscribes('t', { expects: [0x80] })
  }
)

scenario(
  '[3.1.1 MQTT-3.1.2-8] the will of a 5.0 client reaches 3.1.1 clients after its delay, bare of properties',
  async ({ connects, clock }) => {
    const old = await connects({ version: 4 })
    await old.subscribes('will')
    const will = { topicName: 'will', payload: 'gone', willDelaySeconds: 5, contentType: 'text/plain' } as const
    const modern = await connects({ version: 5, sessionExpirySeconds: 60, will })
    await modern.dropsConnection()
    await clock.advancesSeconds(4)
    await old.receivesNothing()
    await clock.advancesSeconds(1)
    await old.receivesBytes('30 0a 00 04 77 69 6c 6c 67 6f 6e 65')
  }
)

scenario(
  '[3.1.1 MQTT-3.14.4-3] a 3.1.1 client’s will goes with DISCONNECT, a 5.0 client’s stays with DISCONNECT 0x04',
  async ({ connects }) => {
    const watcher = await connects({ version: 4 })
    await watcher.subscribes('will')
    const old = await connects({ version: 4, will: { topicName: 'will', payload: 'old' } })
    await old.disconnects()
    await watcher.receivesNothing()
    const modern = await connects({ version: 5, will: { topicName: 'will', payload: 'modern' } })
    await modern.disconnects({ reasonCode: ReasonCode.DisconnectWithWillMessage })
    await watcher.receives({ type: PacketType.Publish, payload: 'modern' })
  }
)
