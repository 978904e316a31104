import { PacketType, PINGREQ, ReasonCode } from '@godwit/protocol'
import { puback, publish, pubcomp, pubrec, pubrel, scenario, subscribe, unsubscribe } from '@godwit/testkit'
import { expect } from 'vitest'

scenario(
  '[5.0 MQTT-3.3.4-9] [5.0 MQTT-4.9.0-1] [5.0 MQTT-4.9.0-2] no more than the client’s Receive Maximum is on its way to it',
  async ({ connects }) => {
    for (const sessionExpirySeconds of [0, 600]) {
      const subscriber = await connects({ sessionExpirySeconds, receiveMaximum: 2, acknowledges: false })
      await subscriber.subscribes('t', { qos: 2 })
      const publisher = await connects()
      for (const payload of ['1', '2', '3', '4', '5']) await publisher.publishes('t', payload, { qos: 1 })
      await subscriber.receives({ type: PacketType.Publish, payload: '1', packetIdentifier: 1 })
      await subscriber.receives({ type: PacketType.Publish, payload: '2', packetIdentifier: 2 })
      await subscriber.receivesNothing()
      await subscriber.sends(puback(2))
      await subscriber.receives({ type: PacketType.Publish, payload: '3', packetIdentifier: 3 })
      await subscriber.receivesNothing()
      await subscriber.sends(puback(1, ReasonCode.UnspecifiedError))
      await subscriber.receives({ type: PacketType.Publish, payload: '4', packetIdentifier: 4 })
      await subscriber.sends(puback(3), puback(4))
      await subscriber.receives({ type: PacketType.Publish, payload: '5', packetIdentifier: 5 })
      await subscriber.disconnects()
    }
  }
)

scenario(
  '[5.0 MQTT-3.3.4-9] [5.0 MQTT-4.9.0-2] a QoS 2 message counts until PUBCOMP, or until a PUBREC of 0x80 and above',
  async ({ connects }) => {
    for (const sessionExpirySeconds of [0, 600]) {
      const subscriber = await connects({ sessionExpirySeconds, receiveMaximum: 1, acknowledges: false })
      await subscriber.subscribes('t', { qos: 2 })
      const publisher = await connects()
      for (const payload of ['1', '2', '3']) await publisher.publishes('t', payload, { qos: 2 })
      await subscriber.receives({ type: PacketType.Publish, payload: '1', packetIdentifier: 1 })
      await subscriber.sends(pubrec(1))
      await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
      await subscriber.receivesNothing()
      await subscriber.sends(pubcomp(1))
      await subscriber.receives({ type: PacketType.Publish, payload: '2', packetIdentifier: 2 })
      await subscriber.sends(pubrec(2, ReasonCode.QuotaExceeded))
      await subscriber.receives({ type: PacketType.Publish, payload: '3', packetIdentifier: 3 })
      await subscriber.disconnects()
    }
  }
)

scenario('[5.0 MQTT-3.3.4-9] acknowledgements of what is not in flight do not raise the quota', async ({ connects }) => {
  const subscriber = await connects({ receiveMaximum: 1, acknowledges: false })
  await subscriber.subscribes('t', { qos: 1 })
  const publisher = await connects()
  await publisher.publishes('t', '1', { qos: 1 })
  await publisher.publishes('t', '2', { qos: 1 })
  await subscriber.receives({ type: PacketType.Publish, payload: '1', packetIdentifier: 1 })
  await subscriber.sends(puback(2), puback(40), pubcomp(7))
  await subscriber.receivesNothing()
  await subscriber.sends(puback(1), puback(1))
  await subscriber.receives({ type: PacketType.Publish, payload: '2', packetIdentifier: 2 })
})

scenario('[5.0 MQTT-4.9.0-2] QoS 0 is not held back by a used-up quota', async ({ connects }) => {
  const subscriber = await connects({ receiveMaximum: 1, acknowledges: false })
  await subscriber.subscribes('t', { qos: 1 })
  const publisher = await connects()
  await publisher.publishes('t', '1', { qos: 1 })
  await publisher.publishes('t', '2', { qos: 1 })
  await publisher.publishes('t', 'at most once')
  await subscriber.receives({ type: PacketType.Publish, payload: '1', packetIdentifier: 1 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'at most once', qos: 0 })
  await subscriber.receivesNothing()
})

scenario(
  '[5.0 MQTT-3.3.4-10] [5.0 MQTT-4.9.0-3] a used-up quota holds back no other packet of the server',
  async ({ connects }) => {
    const client = await connects({ sessionExpirySeconds: 600, receiveMaximum: 1, acknowledges: false })
    await client.subscribes('t', { qos: 2 })
    const publisher = await connects()
    await publisher.publishes('t', '1', { qos: 2 })
    await publisher.publishes('t', '2', { qos: 2 })
    await client.receives({ type: PacketType.Publish, payload: '1', packetIdentifier: 1 })
    await client.sends(PINGREQ)
    await client.receives({ type: PacketType.Pingresp })
    await client.sends(subscribe(21, ['u']))
    await client.receives({ type: PacketType.Suback, packetIdentifier: 21 })
    await client.sends(unsubscribe(22, ['u']))
    await client.receives({ type: PacketType.Unsuback, packetIdentifier: 22 })
    await client.sends(publish('v', '', { qos: 1, packetIdentifier: 23 }))
    await client.receives({ type: PacketType.Puback, packetIdentifier: 23 })
    await client.sends(publish('v', '', { qos: 2, packetIdentifier: 24 }))
    await client.receives({ type: PacketType.Pubrec, packetIdentifier: 24 })
    await client.sends(pubrel(24))
    await client.receives({ type: PacketType.Pubcomp, packetIdentifier: 24 })
    await client.sends(pubrec(1))
    await client.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
    await client.receivesNothing()
  }
)

scenario(
  '[5.0 MQTT-3.3.4-9] [5.0 MQTT-4.9.0-1] what is sent again on a new connection keeps to the Receive Maximum of that connection',
  async ({ connects }) => {
    const subscriber = await connects({ sessionExpirySeconds: 600, acknowledges: false })
    await subscriber.subscribes('t', { qos: 1 })
    const publisher = await connects()
    for (const payload of ['1', '2', '3']) await publisher.publishes('t', payload, { qos: 1 })
    for (const payload of ['1', '2', '3']) await subscriber.receives({ type: PacketType.Publish, payload })
    await subscriber.dropsConnection()
    await publisher.publishes('t', '4', { qos: 1 })
    const back = await subscriber.reconnects({ receiveMaximum: 2 })
    await back.receives({ type: PacketType.Publish, payload: '1', dup: true, packetIdentifier: 1 })
    await back.receives({ type: PacketType.Publish, payload: '2', dup: true, packetIdentifier: 2 })
    await back.receivesNothing()
    await back.sends(puback(1))
    await back.receives({ type: PacketType.Publish, payload: '3', dup: true, packetIdentifier: 3 })
    await back.receivesNothing()
    await back.sends(puback(2))
    await back.receives({ type: PacketType.Publish, payload: '4', dup: false, packetIdentifier: 4 })
    await back.receivesNothing()
  }
)

scenario(
  '[5.0 MQTT-3.3.4-9] the end of an exchange that was begun on an earlier connection makes no room on this one',
  async ({ connects }) => {
    const subscriber = await connects({ sessionExpirySeconds: 600, acknowledges: false })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects()
    await publisher.publishes('t', 'released', { qos: 2 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'released', packetIdentifier: 1 })
    await subscriber.sends(pubrec(1))
    await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
    await subscriber.dropsConnection()
    const back = await subscriber.reconnects({ receiveMaximum: 1 })
    await back.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
    await publisher.publishes('t', '2', { qos: 1 })
    await publisher.publishes('t', '3', { qos: 1 })
    await back.receives({ type: PacketType.Publish, payload: '2', packetIdentifier: 2 })
    await back.sends(pubcomp(1))
    await back.receivesNothing()
    await back.sends(puback(2))
    await back.receives({ type: PacketType.Publish, payload: '3', packetIdentifier: 3 })
  }
)

scenario(
  '[5.0 MQTT-3.3.4-7] [5.0 MQTT-4.13.1-1] a client that exceeds the Receive Maximum of the CONNACK',
  { limits: { receiveMaximum: 3 } },
  async ({ connects, store }) => {
    const client = await connects({ clientId: 'client' })
    expect(client.connack.properties.receiveMaximum).toBe(3)
    for (let packetIdentifier = 1; packetIdentifier <= 3; packetIdentifier++) {
      await client.sends(publish('t', '', { qos: 2, packetIdentifier }))
      await client.receives({ type: PacketType.Pubrec, packetIdentifier })
    }
    await client.sends(publish('t', '', { qos: 0 }), publish('t', '', { qos: 2, packetIdentifier: 2, dup: true }))
    await client.receives({ type: PacketType.Pubrec, packetIdentifier: 2 })
    await client.sends(publish('t', '', { qos: 1, packetIdentifier: 4 }))
    await client.isDisconnected({ reasonCode: ReasonCode.ReceiveMaximumExceeded })

    const subscriber = await connects({ sessionExpirySeconds: 60 })
    await subscriber.subscribes('t', { qos: 1 })
    await subscriber.dropsConnection()
    const other = await connects()
    store.holdsCommits()
    for (let packetIdentifier = 1; packetIdentifier <= 3; packetIdentifier++) {
      await other.sends(publish('t', '', { qos: 1, packetIdentifier }))
    }
    await other.receivesNothing()
    await other.sends(publish('t', '', { qos: 1, packetIdentifier: 4 }))
    await other.isDisconnected({ reasonCode: ReasonCode.ReceiveMaximumExceeded })
    store.releasesCommits()
  }
)

scenario(
  '[5.0 MQTT-3.3.4-7] PUBACK, PUBCOMP and a PUBREC of 0x80 and above give the client room again',
  { limits: { receiveMaximum: 1, retainedMessagesMax: 0 } },
  async ({ connects }) => {
    const client = await connects()
    for (let round = 0; round < 3; round++) {
      await client.publishes('t', '', { qos: 1 })
      await client.publishes('t', '', { qos: 2 })
      await client.publishes('t', 'x', { qos: 2, retain: true, expects: ReasonCode.QuotaExceeded })
      await client.publishes('t', 'x', { qos: 1, retain: true, expects: ReasonCode.QuotaExceeded })
    }
  }
)

scenario(
  '[5.0 MQTT-3.3.4-7] [5.0 MQTT-4.9.0-1] the client’s quota begins anew with each network connection',
  { limits: { receiveMaximum: 1 } },
  async ({ connects }) => {
    const client = await connects({ sessionExpirySeconds: 600 })
    await client.sends(publish('t', '', { qos: 2, packetIdentifier: 1 }))
    await client.receives({ type: PacketType.Pubrec, packetIdentifier: 1 })
    await client.dropsConnection()
    const back = await client.reconnects()
    await back.sends(pubrel(1), publish('t', '', { qos: 1, packetIdentifier: 2 }))
    await back.receives({ type: PacketType.Pubcomp, packetIdentifier: 1 })
    await back.receives({ type: PacketType.Puback, packetIdentifier: 2 })
  }
)

scenario(
  '[5.0 MQTT-3.3.4-8] a client whose quota is used up may send everything else',
  { limits: { receiveMaximum: 1 } },
  async ({ connects }) => {
    const client = await connects()
    await client.sends(publish('t', '', { qos: 2, packetIdentifier: 1 }))
    await client.receives({ type: PacketType.Pubrec, packetIdentifier: 1 })
    await client.subscribes('u')
    await client.publishes('u', 'at most once')
    await client.receives({ type: PacketType.Publish, payload: 'at most once' })
    await client.unsubscribes('u')
    await client.sends(PINGREQ)
    await client.receives({ type: PacketType.Pingresp })
    await client.sends(pubrel(1))
    await client.receives({ type: PacketType.Pubcomp, packetIdentifier: 1 })
  }
)
