import { PacketType, ReasonCode } from '@godwit/protocol'
import { puback, pubcomp, pubrec, type Scenario, scenario, type TestClient } from '@godwit/testkit'
import { expect } from 'vitest'

async function member(connects: Scenario['connects'], options: Parameters<Scenario['connects']>[0]): Promise<TestClient> {
  const client = await connects(options)
  await client.subscribes('$share/g/t', { qos: 2 })
  return client
}

scenario(
  '[5.0 MQTT-4.8.2-3] QoS 1 messages that a member leaves unacknowledged go to another, with DUP 0 and an identifier of its own',
  async ({ connects }) => {
    for (const sessionExpirySeconds of [0, 600]) {
      const leaving = await member(connects, { sessionExpirySeconds, acknowledges: false })
      const publisher = await connects()
      for (const payload of ['1', '2', '3']) await publisher.publishes('t', payload, { qos: 1 })
      for (const payload of ['1', '2', '3']) await leaving.receives({ type: PacketType.Publish, payload })
      await leaving.sends(puback(2))
      const staying = await member(connects, { sessionExpirySeconds })
      await staying.receivesNothing()
      await leaving.dropsConnection()
      await staying.receives({ type: PacketType.Publish, payload: '1', qos: 1, dup: false, packetIdentifier: 1 })
      await staying.receives({ type: PacketType.Publish, payload: '3', qos: 1, dup: false, packetIdentifier: 2 })
      await staying.receivesNothing()
      if (sessionExpirySeconds > 0) {
        const back = await leaving.reconnects()
        await back.receivesNothing()
        await back.disconnects({ sessionExpirySeconds: 0 })
      }
      await staying.disconnects({ sessionExpirySeconds: 0 })
    }
  }
)

scenario(
  '[5.0 MQTT-4.8.2-3] what comes back goes before what is new, at the QoS granted to the member that gets it',
  async ({ connects }) => {
    const leaving = await member(connects, { sessionExpirySeconds: 600, receiveMaximum: 2, acknowledges: false })
    const publisher = await connects()
    for (const payload of ['1', '2', '3', '4']) await publisher.publishes('t', payload, { qos: 1 })
    await leaving.receives({ type: PacketType.Publish, payload: '1' })
    await leaving.receives({ type: PacketType.Publish, payload: '2' })
    const staying = await connects({ receiveMaximum: 1, acknowledges: false })
    await staying.subscribes('$share/g/t', { qos: 1 })
    await staying.receives({ type: PacketType.Publish, payload: '3', packetIdentifier: 1 })
    await leaving.dropsConnection()
    for (const [packetIdentifier, payload] of [
      [2, '1'],
      [3, '2'],
      [4, '4']
    ] as const) {
      await staying.sends(puback(packetIdentifier - 1))
      await staying.receives({ type: PacketType.Publish, payload, packetIdentifier, dup: false })
    }
    await staying.sends(puback(4))
    const atMostOnce = await connects()
    await atMostOnce.subscribes('$share/g/t', { qos: 0 })
    await staying.unsubscribes('$share/g/t')
    await publisher.publishes('t', '5', { qos: 1 })
    await atMostOnce.receives({ type: PacketType.Publish, payload: '5', qos: 0 })
  }
)

scenario(
  '[5.0 MQTT-4.8.2-4] a QoS 2 delivery that has begun is finished with the same client when it comes back',
  async ({ connects }) => {
    const leaving = await member(connects, { sessionExpirySeconds: 600, acknowledges: false })
    const publisher = await connects()
    await publisher.publishes('t', 'sent', { qos: 2 })
    await publisher.publishes('t', 'received', { qos: 2 })
    await leaving.receives({ type: PacketType.Publish, payload: 'sent', packetIdentifier: 1 })
    await leaving.receives({ type: PacketType.Publish, payload: 'received', packetIdentifier: 2 })
    await leaving.sends(pubrec(2))
    await leaving.receives({ type: PacketType.Pubrel, packetIdentifier: 2 })
    const staying = await member(connects, { sessionExpirySeconds: 600 })
    await leaving.dropsConnection()
    await staying.receivesNothing()
    const back = await leaving.reconnects()
    await back.receives({ type: PacketType.Pubrel, packetIdentifier: 2 })
    await back.receives({ type: PacketType.Publish, payload: 'sent', qos: 2, dup: true, packetIdentifier: 1 })
    await back.sends(pubcomp(2), pubrec(1))
    await back.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
    await back.sends(pubcomp(1))
    await staying.receivesNothing()
  }
)

scenario(
  '[5.0 MQTT-4.8.2-5] if its session ends first, its QoS 2 messages go to no other member; QoS 1 messages do',
  async ({ connects, clock, broker }) => {
    const staying = await member(connects, { sessionExpirySeconds: 6000 })
    const leaving = await member(connects, { sessionExpirySeconds: 60, acknowledges: false })
    const publisher = await connects()
    await publisher.publishes('t', 'A', { qos: 2 })
    await publisher.publishes('t', 'B', { qos: 2 })
    await staying.receives({ type: PacketType.Publish, payload: 'A' })
    await leaving.receives({ type: PacketType.Publish, payload: 'B', packetIdentifier: 1 })
    await leaving.dropsConnection()
    await clock.advancesSeconds(61)
    await staying.receivesNothing()
    expect(broker.running.fates.get('session-ended')).toBe(1)

    const transient = await member(connects, { acknowledges: false })
    await publisher.publishes('t', 'C', { qos: 2 })
    await publisher.publishes('t', 'D', { qos: 1 })
    await publisher.publishes('t', 'E', { qos: 1 })
    await publisher.publishes('t', 'F', { qos: 2 })
    await transient.dropsConnection()
    const own = staying.inbox.flatMap((packet) =>
      packet.type === PacketType.Publish ? [Buffer.from(packet.payload).toString()] : []
    )
    staying.ignoresTheRest()
    const left = transient.inbox.flatMap((packet) =>
      packet.type === PacketType.Publish && packet.qos === 2 ? [Buffer.from(packet.payload).toString()] : []
    )
    transient.ignoresTheRest()
    expect(left.length).toBeGreaterThan(0)
    expect([...own, ...left].toSorted()).toEqual(['C', 'D', 'E', 'F'])
  }
)

scenario('[5.0 MQTT-4.8.2-3] while no member is connected the messages wait for the first to come back', async ({ connects }) => {
  const one = await member(connects, { clientId: 'one', sessionExpirySeconds: 600 })
  const two = await member(connects, { clientId: 'two', sessionExpirySeconds: 600 })
  await one.dropsConnection()
  await two.dropsConnection()
  const publisher = await connects()
  for (const payload of ['1', '2', '3', '4']) await publisher.publishes('t', payload, { qos: 1 })
  const back = await two.reconnects()
  for (const payload of ['1', '2', '3', '4']) await back.receives({ type: PacketType.Publish, payload })
  const late = await one.reconnects()
  await late.receivesNothing()
})

scenario(
  '[5.0 MQTT-4.8.2-3] a backlog of the share goes to whoever takes it, bit by bit, each message once',
  async ({ connects }) => {
    const one = await member(connects, { clientId: 'one', sessionExpirySeconds: 600 })
    await one.dropsConnection()
    const publisher = await connects()
    const all = Array.from({ length: 300 }, (_, index) => String(index))
    for (const payload of all) await publisher.publishes('t', payload, { qos: 1 })
    const first = await one.reconnects({ receiveMaximum: 7, acknowledges: false })
    const second = await member(connects, { clientId: 'two', receiveMaximum: 11, acknowledges: false })
    const received: string[] = []
    while (first.inbox.length + second.inbox.length > 0) {
      for (const client of [first, second]) {
        if (client.inbox.length === 0) continue
        const { payload, packetIdentifier } = await client.receives({ type: PacketType.Publish, dup: false })
        received.push(Buffer.from(payload).toString())
        await client.sends(puback(packetIdentifier))
      }
    }
    expect(received.toSorted((a, b) => Number(a) - Number(b))).toEqual(all)
  }
)

scenario('[5.0 MQTT-4.8.2-3] a member that joins gets its share of what waits at once', async ({ connects }) => {
  for (const sessionExpirySeconds of [0, 600]) {
    const one = await member(connects, { sessionExpirySeconds, receiveMaximum: 1, acknowledges: false })
    const publisher = await connects()
    for (const payload of ['1', '2', '3']) await publisher.publishes('t', payload, { qos: 1 })
    await one.receives({ type: PacketType.Publish, payload: '1' })
    const two = await connects({ sessionExpirySeconds })
    await two.subscribes('$share/g/t', { qos: 1 })
    await two.receives({ type: PacketType.Publish, payload: '2' })
    await two.receives({ type: PacketType.Publish, payload: '3' })
    await one.sends(puback(1))
    for (const client of [one, two]) await client.disconnects({ sessionExpirySeconds: 0 })
  }
})

scenario(
  '[5.0 MQTT-4.8.2-3] durable and transient members share: what transient ones leave behind is kept for the durable ones',
  async ({ connects, broker }) => {
    const transient = await member(connects, { receiveMaximum: 2, acknowledges: false })
    const publisher = await connects()
    for (const payload of ['1', '2', '3']) await publisher.publishes('t', payload, { qos: 1 })
    await transient.receives({ type: PacketType.Publish, payload: '1' })
    await transient.receives({ type: PacketType.Publish, payload: '2' })
    const durable = await member(connects, {
      clientId: 'durable',
      sessionExpirySeconds: 600,
      receiveMaximum: 1,
      acknowledges: false
    })
    await durable.receives({ type: PacketType.Publish, payload: '3' })
    await publisher.publishes('t', '4', { qos: 1 })
    await durable.dropsConnection()
    await transient.sends(puback(1))
    await transient.receives({ type: PacketType.Publish, payload: '3', dup: false })
    await transient.dropsConnection()
    expect(broker.running.fates.get('session-ended')).toBe(0)
    await publisher.publishes('t', '5', { qos: 1 })
    const back = await durable.reconnects({ receiveMaximum: 100, acknowledges: true })
    for (const payload of ['2', '3', '4', '5']) await back.receives({ type: PacketType.Publish, payload, dup: false })
  }
)

scenario(
  '[5.0 MQTT-4.8.2-3] QoS 0 goes to a member that is connected, or is counted as dropped',
  async ({ connects, broker }) => {
    const one = await member(connects, { sessionExpirySeconds: 600 })
    const two = await member(connects, { sessionExpirySeconds: 600 })
    await one.dropsConnection()
    const publisher = await connects()
    for (const payload of ['1', '2']) {
      await publisher.publishes('t', payload)
      await two.receives({ type: PacketType.Publish, payload, qos: 0 })
    }
    await two.dropsConnection()
    await publisher.publishes('t', '3')
    expect(broker.running.fates.get('subscriber-offline')).toBe(1)
    const back = await two.reconnects()
    await back.receivesNothing()
  }
)

scenario(
  '[5.0 MQTT-3.10.4-3] a member that unsubscribes finishes what it has; what it never acknowledges goes to the others with its session',
  async ({ connects }) => {
    const one = await member(connects, { acknowledges: false })
    const publisher = await connects()
    await publisher.publishes('t', '1', { qos: 1 })
    await publisher.publishes('t', '2', { qos: 2 })
    await one.receives({ type: PacketType.Publish, payload: '1', packetIdentifier: 1 })
    await one.receives({ type: PacketType.Publish, payload: '2', packetIdentifier: 2 })
    const two = await member(connects, {})
    await one.unsubscribes('$share/g/t')
    await two.receivesNothing()
    await one.sends(puback(1), pubrec(2))
    await one.receives({ type: PacketType.Pubrel, packetIdentifier: 2, reasonCode: ReasonCode.Success })
    await one.sends(pubcomp(2))
    await one.disconnects()
    await two.receivesNothing()
  }
)
