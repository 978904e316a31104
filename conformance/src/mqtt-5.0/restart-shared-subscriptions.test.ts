import { PacketType } from '@godwit/protocol'
import { puback, pubrec, scenario } from '@godwit/testkit'
import { DOWNFALLS, durable, restarts } from '../restarts.ts'

scenario(
  '[5.0 MQTT-4.8.2-3] [5.0 MQTT-4.8.2-4] a share goes on: its backlog, what its members had in flight, and what is acknowledged',
  async ({ connects, broker }) => {
    for (const goesDown of DOWNFALLS) {
      const one = await durable(connects, `one-${goesDown}`, false)
      await one.subscribes('$share/g/t', { qos: 2, identifier: 7 })
      const publisher = await connects()
      for (const payload of ['1', '2', '3']) {
        await publisher.publishes('t', payload, { qos: payload === '2' ? 2 : 1 })
        await one.receives({ type: PacketType.Publish, payload, packetIdentifier: Number(payload) })
      }
      await one.sends(puback(1))
      await one.dropsConnection()
      for (const payload of ['4', '5']) await publisher.publishes('t', payload, { qos: 1 })
      await restarts(broker, goesDown)
      const second = await one.reconnects({ receiveMaximum: 3 })
      const properties = { subscriptionIdentifiers: [7] }
      await second.receives({ type: PacketType.Publish, payload: '2', qos: 2, packetIdentifier: 2, dup: true, properties })
      await second.receives({ type: PacketType.Publish, payload: '3', qos: 1, packetIdentifier: 3, dup: true, properties })
      await second.receives({ type: PacketType.Publish, payload: '4', packetIdentifier: 4, dup: false, properties })
      await second.sends(puback(3), pubrec(2))
      await second.receivesInAnyOrder(
        { type: PacketType.Pubrel, packetIdentifier: 2 },
        { type: PacketType.Publish, payload: '5', packetIdentifier: 5, dup: false }
      )
      await restarts(broker, goesDown)
      const third = await one.reconnects({ receiveMaximum: undefined, acknowledges: true })
      await third.receives({ type: PacketType.Publish, payload: '4', packetIdentifier: 4, dup: true })
      await third.receives({ type: PacketType.Publish, payload: '5', packetIdentifier: 5, dup: true })
      await restarts(broker, goesDown)
      const fourth = await one.reconnects()
      await fourth.receivesNothing()
      await fourth.disconnects({ sessionExpirySeconds: 0 })
    }
  }
)

scenario(
  '[5.0 MQTT-4.8.2-3] what a transient member of a durable share had in flight when the server died goes to a durable member',
  async ({ connects, broker }) => {
    const lasting = await durable(connects, 'lasting')
    await lasting.subscribes('$share/g/t', { qos: 1 })
    await lasting.dropsConnection()
    const transient = await connects({ acknowledges: false })
    await transient.subscribes('$share/g/t', { qos: 1 })
    const publisher = await connects()
    for (const payload of ['1', '2']) await publisher.publishes('t', payload, { qos: 1 })
    for (const payload of ['1', '2']) await transient.receives({ type: PacketType.Publish, payload })
    await transient.sends(puback(1))
    await broker.crashes()
    await broker.starts()
    const back = await lasting.reconnects()
    await back.receives({ type: PacketType.Publish, payload: '2', dup: false })
    await back.receivesNothing()
  }
)
