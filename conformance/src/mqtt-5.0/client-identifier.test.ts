import { PacketType, ReasonCode } from '@godwit/protocol'
import { scenario } from '@godwit/testkit'
import { expect } from 'vitest'

const LETTERS_AND_DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'

scenario('[5.0 MQTT-3.1.3-5] ClientIDs of 1 to 23 letters and digits are accepted', async ({ connects }) => {
  for (let length = 1; length <= 23; length++) {
    const clientId = (LETTERS_AND_DIGITS + LETTERS_AND_DIGITS).slice(length * 2, length * 3)
    const client = await connects({ clientId })
    await client.disconnects()
  }
  for (const character of LETTERS_AND_DIGITS) {
    const client = await connects({ clientId: character })
    await client.disconnects()
  }
})

scenario('[5.0 MQTT-3.1.3-6] a client without a ClientID is given one, with Clean Start 1 as with 0', async ({ connects }) => {
  for (const cleanStart of [true, false]) {
    const client = await connects({ clientId: '', cleanStart })
    expect(client.connack.properties.assignedClientIdentifier).toMatch(/^[\w-]+$/)
    expect(client.connack.sessionPresent).toBe(false)
  }
})

scenario(
  '[5.0 MQTT-3.1.3-7] an assigned ClientID is as if the client had sent it: its session is found by it',
  async ({ connects }) => {
    const client = await connects({ clientId: '', sessionExpirySeconds: 100 })
    await client.subscribes('t', { qos: 1 })
    await client.disconnects()
    const publisher = await connects()
    await publisher.publishes('t', 'waiting', { qos: 1 })
    const back = await client.reconnects()
    expect(back.options.clientId).toBe(client.connack.properties.assignedClientIdentifier)
    expect(back.connack).toMatchObject({ sessionPresent: true })
    expect(back.connack.properties).not.toHaveProperty('assignedClientIdentifier')
    await back.receives({ type: PacketType.Publish, payload: 'waiting' })
  }
)

scenario('[5.0 MQTT-3.1.3-7] the application sees the assigned ClientID from authentication on', async ({ connects, broker }) => {
  const seen: string[] = []
  await broker.restarts({
    authenticate: ({ clientId }) => ({ accepted: seen.push(clientId) > 0 }),
    authorize: ({ clientId }) => seen.push(clientId) > 0
  })
  broker.running.events.on('clientConnected', ({ clientId }) => seen.push(clientId))
  const client = await connects({ clientId: '' })
  await client.publishes('t')
  expect(seen).toEqual([client.clientId, client.clientId, client.clientId])
})

scenario(
  '[5.0 MQTT-3.1.3-8] a ClientID above the limit is refused with 0x85, and closed',
  { limits: { clientIdBytesMax: 30 } },
  async ({ connects, refuses }) => {
    await connects({ clientId: 'a'.repeat(30) })
    await connects({ clientId: 'ü'.repeat(15) })
    await refuses({ clientId: 'a'.repeat(31) }, ReasonCode.ClientIdentifierNotValid)
    await refuses({ clientId: 'ü'.repeat(16) }, ReasonCode.ClientIdentifierNotValid)
  }
)

scenario(
  '[5.0 MQTT-3.1.3-8] a ClientID that the application refuses is answered with 0x85, and closed',
  async ({ refuses, broker }) => {
    await broker.restarts({
      authenticate: ({ clientId }) => ({
        accepted: clientId.startsWith('device-'),
        reasonCode: ReasonCode.ClientIdentifierNotValid
      })
    })
    await refuses({ clientId: 'a' }, ReasonCode.ClientIdentifierNotValid)
  }
)

scenario(
  'a ClientID of 65,535 bytes is taken where the limit allows it [5.0 1.5.4]',
  { limits: { clientIdBytesMax: 65_535 } },
  async ({ connects }) => {
    const clientId = 'x'.repeat(65_535)
    const client = await connects({ clientId })
    await client.receivesNothing()
  }
)
