import { PacketType, ReasonCode } from '@godwit/protocol'
import { puback, pubcomp, pubrec, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

scenario(
  '[5.0 MQTT-4.4.0-1] [5.0 MQTT-3.3.1-1] on resumption what is unacknowledged is sent again in its order with its identifiers, before anything new',
  async ({ connects }) => {
    const subscriber = await connects({ sessionExpirySeconds: 600, acknowledges: false })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects()
    for (const [payload, qos] of [
      ['1', 1],
      ['2', 2],
      ['3', 2],
      ['4', 1],
      ['5', 2]
    ] as const) {
      await publisher.publishes('t', payload, { qos })
    }
    for (const packetIdentifier of [1, 2, 3, 4, 5]) {
      await subscriber.receives({ type: PacketType.Publish, payload: `${packetIdentifier}`, packetIdentifier, dup: false })
    }
    await subscriber.sends(puback(4), pubrec(2))
    await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier: 2 })
    await subscriber.dropsConnection()
    await publisher.publishes('t', '6', { qos: 1 })
    const back = await subscriber.reconnects()
    expect(back.connack.sessionPresent).toBe(true)
    await back.receives({ type: PacketType.Pubrel, packetIdentifier: 2, reasonCode: ReasonCode.Success })
    await back.receives({ type: PacketType.Publish, payload: '1', qos: 1, packetIdentifier: 1, dup: true })
    await back.receives({ type: PacketType.Publish, payload: '3', qos: 2, packetIdentifier: 3, dup: true })
    await back.receives({ type: PacketType.Publish, payload: '5', qos: 2, packetIdentifier: 5, dup: true })
    await back.receives({ type: PacketType.Publish, payload: '6', qos: 1, packetIdentifier: 6, dup: false })
    await back.receivesNothing()
  }
)

scenario('[5.0 MQTT-4.4.0-1] as long as the connection lasts nothing is sent again', async ({ connects, clock }) => {
  const subscriber = await connects({ sessionExpirySeconds: 600, acknowledges: false })
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects()
  await publisher.publishes('t', '1', { qos: 1 })
  await publisher.publishes('t', '2', { qos: 2 })
  await publisher.publishes('t', '3', { qos: 2 })
  for (const payload of ['1', '2', '3']) await subscriber.receives({ type: PacketType.Publish, payload })
  await subscriber.sends(pubrec(3))
  await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier: 3 })
  await clock.advancesSeconds(3600)
  await subscriber.receivesNothing()
})

scenario(
  '[5.0 MQTT-4.4.0-1] with Clean Start 1, or after the session has expired, nothing is sent again and identifiers begin at 1',
  async ({ connects, clock, broker }) => {
    for (const way of ['Clean Start', 'expiry']) {
      const subscriber = await connects({ clientId: way, sessionExpirySeconds: 60, acknowledges: false })
      await subscriber.subscribes('t', { qos: 1 })
      const publisher = await connects()
      await publisher.publishes('t', '1', { qos: 1 })
      await publisher.publishes('t', '2', { qos: 1 })
      await subscriber.receives({ type: PacketType.Publish, payload: '1', packetIdentifier: 1 })
      await subscriber.receives({ type: PacketType.Publish, payload: '2', packetIdentifier: 2 })
      await subscriber.dropsConnection()
      if (way === 'expiry') await clock.advancesSeconds(61)
      const back = await subscriber.reconnects({ cleanStart: way === 'Clean Start' })
      expect(back.connack.sessionPresent).toBe(false)
      await back.receivesNothing()
      await back.subscribes('t', { qos: 1 })
      await publisher.publishes('t', '3', { qos: 1 })
      await back.receives({ type: PacketType.Publish, payload: '3', packetIdentifier: 1, dup: false })
      await back.disconnects({ sessionExpirySeconds: 0 })
    }
    expect(broker.running.fates.get('session-ended')).toBe(6)
  }
)

scenario('[5.0 MQTT-4.4.0-2] a PUBACK of 0x80 and above settles the message', async ({ connects, broker }) => {
  const subscriber = await connects({ sessionExpirySeconds: 600, acknowledges: false })
  await subscriber.subscribes('t', { qos: 1 })
  const publisher = await connects()
  for (const payload of ['1', '2', '3']) await publisher.publishes('t', payload, { qos: 1 })
  for (const payload of ['1', '2', '3']) await subscriber.receives({ type: PacketType.Publish, payload })
  await subscriber.sends(puback(1, ReasonCode.UnspecifiedError), puback(3, ReasonCode.NotAuthorized))
  await subscriber.dropsConnection()
  const back = await subscriber.reconnects()
  await back.receives({ type: PacketType.Publish, payload: '2', dup: true, packetIdentifier: 2 })
  expect(broker.running.fates.get('refused-by-client')).toBe(2)
})

scenario(
  '[5.0 MQTT-4.4.0-1] each resumption sends the same again, and acknowledgements in between count',
  async ({ connects }) => {
    const subscriber = await connects({ sessionExpirySeconds: 600, acknowledges: false })
    await subscriber.subscribes('t', { qos: 1 })
    const publisher = await connects()
    const payloads = Array.from({ length: 6 }, (_, index) => `${index + 1}`)
    for (const payload of payloads) await publisher.publishes('t', payload, { qos: 1 })
    for (const payload of payloads) await subscriber.receives({ type: PacketType.Publish, payload, dup: false })
    let client = subscriber
    for (let acknowledged = 1; acknowledged <= 6; acknowledged++) {
      await client.sends(puback(acknowledged))
      await client.dropsConnection()
      client = await subscriber.reconnects()
      for (const payload of payloads.slice(acknowledged)) {
        await client.receives({ type: PacketType.Publish, payload, packetIdentifier: Number(payload), dup: true })
      }
      await client.receivesNothing()
    }
  }
)

scenario(
  '[5.0 MQTT-4.4.0-1] a session that is taken over while messages are in flight goes on without loss',
  async ({ connects }) => {
    const subscriber = await connects({ clientId: 'subscriber', sessionExpirySeconds: 600, acknowledges: false })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects()
    await publisher.publishes('t', '1', { qos: 1 })
    await publisher.publishes('t', '2', { qos: 2 })
    await subscriber.receives({ type: PacketType.Publish, payload: '1' })
    await subscriber.receives({ type: PacketType.Publish, payload: '2' })
    const other = await connects({ clientId: 'subscriber', cleanStart: false, sessionExpirySeconds: 600, acknowledges: false })
    await subscriber.isDisconnected({ reasonCode: ReasonCode.SessionTakenOver })
    await other.receives({ type: PacketType.Publish, payload: '1', packetIdentifier: 1, dup: true })
    await other.receives({ type: PacketType.Publish, payload: '2', packetIdentifier: 2, dup: true })
    await other.sends(puback(1), pubrec(2))
    await other.receives({ type: PacketType.Pubrel, packetIdentifier: 2 })
    await other.sends(pubcomp(2))
    await publisher.publishes('t', '3', { qos: 1 })
    await other.receives({ type: PacketType.Publish, payload: '3', packetIdentifier: 3, dup: false })
  }
)

scenario('[5.0 MQTT-4.1.0-1] the session lasts as long as its connection, whatever its expiry', async ({ connects, clock }) => {
  const subscriber = await connects({ sessionExpirySeconds: 1 })
  await subscriber.subscribes('t', { qos: 1 })
  await clock.advancesSeconds(100_000)
  const publisher = await connects()
  await publisher.publishes('t', 'still there', { qos: 1 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'still there', packetIdentifier: 1 })
})
