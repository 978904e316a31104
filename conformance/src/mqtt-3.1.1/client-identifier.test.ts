import { ConnectReturnCode, PacketType } from '@godwit/protocol'
import { connect, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'

scenario('[3.1.1 MQTT-3.1.3-2] the ClientId is the key to the session', async ({ connects }) => {
  const one = await connects({ version: 4, clientId: 'one', cleanStart: false })
  await one.subscribes('t/one', { qos: 1 })
  const two = await connects({ version: 4, clientId: 'two', cleanStart: false })
  await two.subscribes('t/two', { qos: 1 })
  await one.dropsConnection()
  await two.dropsConnection()
  const publisher = await connects({ version: 4 })
  await publisher.publishes('t/one', '1', { qos: 1 })
  await publisher.publishes('t/two', '2', { qos: 1 })
  const oneAgain = await one.reconnects()
  await oneAgain.receives({ type: PacketType.Publish, topicName: 't/one', payload: '1' })
  await oneAgain.receivesNothing()
  const twoAgain = await two.reconnects()
  await twoAgain.receives({ type: PacketType.Publish, topicName: 't/two', payload: '2' })
})

scenario(
  '[3.1.1 MQTT-3.1.3-2] ClientIds that differ in case or in a blank are different clients',
  async ({ connects, broker }) => {
    const clientIds = ['device', 'Device', 'device ', ' device', 'dévice', 'de\u0301vice']
    for (const clientId of clientIds) await connects({ version: 4, clientId })
    expect(broker.running.counts.clients).toBe(6)
  }
)

scenario('[3.1.1 MQTT-3.1.3-5] ClientIds of 1 to 23 letters and digits are accepted', async ({ connects, broker }) => {
  for (let length = 1; length <= 23; length++) await connects({ version: 4, clientId: ALPHABET.slice(0, length) })
  for (const clientId of [ALPHABET.slice(23, 46), ALPHABET.slice(-23)]) await connects({ version: 4, clientId })
  expect(broker.running.counts.clients).toBe(25)
})

scenario('[3.1.1 3.1.3.1] longer ClientIds of other characters are accepted as well', async ({ connects }) => {
  await connects({ version: 4, clientId: ALPHABET })
  await connects({ version: 4, clientId: 'größe/+/#/$share/😀' })
  await connects({ version: 4, clientId: 'x'.repeat(1024) })
})

scenario(
  '[3.1.1 MQTT-3.1.3-6] [3.1.1 MQTT-3.1.3-7] clients with an empty ClientId and CleanSession 1 are each given one of their own',
  async ({ raw, broker }) => {
    const first = await raw({ version: 4 })
    await first.isAccepted(connect({ version: 4, clientId: '' }))
    const second = await raw({ version: 4 })
    await second.isAccepted(connect({ version: 4, clientId: '' }))
    const clientIds = [...broker.running.clients()].map(({ clientId }) => clientId)
    expect(new Set(clientIds).size).toBe(2)
    expect(clientIds).not.toContain('')
    await first.subscribes('t')
    await second.publishes('t', 'hello')
    await first.receives({ type: PacketType.Publish, topicName: 't', payload: 'hello' })
    await second.receivesNothing()
  }
)

scenario('[3.1.1 MQTT-3.1.3-6] an assigned ClientId is what access is decided by', async ({ raw, broker }) => {
  const asked: string[] = []
  await broker.restarts({ authenticate: ({ clientId }) => ({ accepted: asked.push(clientId) > 0 }) })
  const client = await raw({ version: 4 })
  await client.isAccepted(connect({ version: 4, clientId: '' }))
  expect(asked).toEqual([...broker.running.clients()].map(({ clientId }) => clientId))
  expect(asked[0]).not.toBe('')
})

scenario(
  '[3.1.1 MQTT-3.1.3-8] [3.1.1 MQTT-3.1.3-7] an empty ClientId with CleanSession 0 gets CONNACK 0x02, then the connection is closed',
  async ({ raw, broker }) => {
    const client = await raw({ version: 4 })
    await client.sendsBytes('10 0c 00 04 4d 51 54 54 04 00 00 00 00 00')
    await client.receivesBytes('20 02 00 02')
    await client.isClosed()
    expect(broker.running.counts.sessions).toBe(0)
  }
)

scenario(
  '[3.1.1 MQTT-3.1.3-9] a ClientId that the server does not allow gets CONNACK 0x02, then the connection is closed',
  { limits: { clientIdBytesMax: 23 } },
  async ({ connects, refuses }) => {
    await connects({ version: 4, clientId: 'x'.repeat(23) })
    await refuses({ version: 4, clientId: 'x'.repeat(24) }, ConnectReturnCode.IdentifierRejected)
    await connects({ version: 4, clientId: `${'ü'.repeat(11)}x` })
    await refuses({ version: 4, clientId: 'ü'.repeat(12) }, ConnectReturnCode.IdentifierRejected)
  }
)

scenario('[3.1.1 MQTT-3.1.3-9] so does one that the authenticate hook does not allow', async ({ broker, refuses }) => {
  await broker.restarts({ authenticate: () => ({ accepted: false, reasonCode: 0x85 }) })
  await refuses({ version: 4, clientId: 'device' }, ConnectReturnCode.IdentifierRejected)
})
