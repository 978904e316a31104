import { PacketType, PINGREQ, ReasonCode } from '@godwit/protocol'
import { connect, disconnect, publish, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

scenario('[5.0 MQTT-3.14.0-1] a client that is refused gets CONNACK, and no DISCONNECT', async ({ refuses, raw, broker }) => {
  await broker.restarts({ authenticate: () => ({ accepted: false }) })
  await refuses({ clientId: 'a' }, ReasonCode.NotAuthorized)
  const silent = await raw()
  await silent.sendsBytes('10 03 00')
  await silent.receivesNothing()
  await broker.stops()
  await silent.isClosed()
})

scenario(
  '[5.0 MQTT-3.14.1-1] reserved bits of DISCONNECT are checked: DISCONNECT 0x81, and the will is published',
  async ({ connects }) => {
    const watcher = await connects()
    await watcher.subscribes('will')
    for (let bits = 1; bits < 16; bits++) {
      const client = await connects({ clientId: 'a', will: { topicName: 'will' } })
      await client.sendsBytes(`e${bits.toString(16)} 00`)
      await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
      await watcher.receives({ type: PacketType.Publish, topicName: 'will' })
    }
  }
)

scenario('[5.0 MQTT-3.14.2-1] a DISCONNECT of a client with a code that is none is an error', async ({ connects }) => {
  for (const code of ['01', '02', '10', '11', '18', '19', '7f', '84', '85', '86', '88', '8a', '91', '92', 'a3', 'ff']) {
    const client = await connects()
    await client.sendsBytes(`e0 01 ${code}`)
    const { reasonCode } = await client.receives({ type: PacketType.Disconnect })
    expect([ReasonCode.MalformedPacket, ReasonCode.ProtocolError]).toContain(reasonCode)
    await client.isClosed()
  }
})

scenario(
  '[5.0 MQTT-3.14.2-1] the server’s DISCONNECT has a code of its table, whatever the application asks for',
  async ({ connects, broker }) => {
    for (const [asked, told] of [
      [ReasonCode.ServerMoved, ReasonCode.ServerMoved],
      [ReasonCode.MaximumConnectTime, ReasonCode.MaximumConnectTime],
      [ReasonCode.BadUserNameOrPassword, ReasonCode.UnspecifiedError],
      [ReasonCode.Banned, ReasonCode.UnspecifiedError]
    ] as const) {
      const client = await connects({ clientId: 'a' })
      broker.running.disconnect('a', { reasonCode: asked })
      await client.isDisconnected({ reasonCode: told })
    }
  }
)

scenario('[5.0 MQTT-3.14.2-2] the server’s DISCONNECT has no Session Expiry Interval', async ({ connects, broker }) => {
  const client = await connects({ clientId: 'a', sessionExpirySeconds: 100 })
  broker.running.disconnect('a', { reason: 'why' })
  await client.isDisconnected({ reasonCode: ReasonCode.AdministrativeAction, properties: { reasonString: 'why' } })
})

scenario(
  '[5.0 MQTT-3.14.2-3] [5.0 MQTT-3.14.2-4] what does not fit the client is left out of DISCONNECT',
  async ({ connects, broker }) => {
    const reason = 'r'.repeat(100)
    for (const [maximumPacketSize, reasonString] of [
      [107, reason],
      [106, undefined]
    ] as const) {
      const client = await connects({ clientId: 'a', maximumPacketSize })
      broker.running.disconnect('a', { reason })
      await client.isDisconnected({ reasonCode: ReasonCode.AdministrativeAction, properties: { reasonString } })
    }
  }
)

scenario(
  '[5.0 MQTT-3.14.4-1] after its DISCONNECT the server sends nothing, though more is waiting',
  async ({ connects, broker }) => {
    const client = await connects({ clientId: 'a', receiveMaximum: 1, acknowledges: false })
    await client.subscribes('t', { qos: 1 })
    const publisher = await connects()
    await publisher.publishes('t', 'first', { qos: 1 })
    await publisher.publishes('t', 'second', { qos: 1 })
    await client.receives({ type: PacketType.Publish, payload: 'first', packetIdentifier: 1 })
    broker.running.disconnect('a')
    await client.sendsBytes('40 02 00 01 c0 00')
    await client.isDisconnected({ reasonCode: ReasonCode.AdministrativeAction })
  }
)

scenario('[5.0 MQTT-3.14.4-1] what a client sends behind its DISCONNECT is not handled', async ({ connects }) => {
  const watcher = await connects()
  await watcher.subscribes('t')
  const client = await connects()
  await client.sends(publish('t', 'before'), disconnect(), publish('t', 'after'), PINGREQ, connect({ clientId: 'b' }))
  await client.isClosed()
  await watcher.receives({ type: PacketType.Publish, payload: 'before' })
  await watcher.receivesNothing()
})

scenario('[5.0 MQTT-3.14.4-2] the server closes after its DISCONNECT, and after the client’s', async ({ connects, broker }) => {
  const told = await connects({ clientId: 'told' })
  broker.running.disconnect('told')
  await told.isDisconnected({ reasonCode: ReasonCode.AdministrativeAction })
  const tells = await connects()
  await tells.sends(disconnect())
  await tells.isClosed()
})

scenario(
  '[5.0 MQTT-3.14.4-2] a client that does not read its DISCONNECT is cut off in the end',
  async ({ connects, clock, broker }) => {
    const client = await connects({ clientId: 'a' })
    client.pausesReading()
    broker.running.disconnect('a')
    await clock.advancesSeconds(6)
    await client.resumesReading()
    await client.isClosed()
  }
)

scenario('[5.0 MQTT-3.1.2-23] DISCONNECT may make the session last longer or shorter', async ({ connects, clock, broker }) => {
  const longer = await connects({ sessionExpirySeconds: 10 })
  await longer.disconnects({ sessionExpirySeconds: 30 })
  const shorter = await connects({ sessionExpirySeconds: 100 })
  await shorter.disconnects({ sessionExpirySeconds: 5 })
  const gone = await connects({ sessionExpirySeconds: 100 })
  await gone.disconnects({ sessionExpirySeconds: 0 })
  expect(broker.running.counts.sessions).toBe(2)
  await clock.advancesSeconds(5)
  expect(broker.running.counts.sessions).toBe(1)
  await clock.advancesSeconds(24)
  const back = await longer.reconnects()
  expect(back.connack.sessionPresent).toBe(true)
})

scenario(
  '[5.0 MQTT-3.1.2-23] the interval of DISCONNECT is kept to by a broker that is started again',
  async ({ connects, clock, broker }) => {
    const client = await connects({ sessionExpirySeconds: 10 })
    await client.disconnects({ sessionExpirySeconds: 0xffff_ffff })
    await broker.restarts()
    await clock.advancesSeconds(1_000_000)
    const back = await client.reconnects()
    expect(back.connack.sessionPresent).toBe(true)
  }
)

scenario('DISCONNECT must not set an interval where CONNECT had 0 [5.0 3.14.2.2.2]', async ({ connects }) => {
  const watcher = await connects()
  await watcher.subscribes('will')
  for (const sessionExpirySeconds of [undefined, 0]) {
    const client = await connects({ clientId: 'a', sessionExpirySeconds, will: { topicName: 'will' } })
    await client.sends(disconnect(ReasonCode.NormalDisconnection, { sessionExpiryInterval: 10 }))
    await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
    // The close was not normal after all.
    await watcher.receives({ type: PacketType.Publish, topicName: 'will' })
  }
  const permitted = await connects({ sessionExpirySeconds: 0 })
  await permitted.sends(disconnect(ReasonCode.NormalDisconnection, { sessionExpiryInterval: 0 }))
  await permitted.isClosed()
})

scenario('a server that shuts down tells its clients [5.0 4.13.2]', async ({ connects, broker }) => {
  const clients = [await connects(), await connects({ version: 4 }), await connects({ version: 3 })]
  await broker.stops()
  for (const client of clients) await client.isDisconnected({ reasonCode: ReasonCode.ServerShuttingDown })
})

scenario(
  'a client is told of another server: when it is refused, and when it is disconnected [5.0 4.11]',
  async ({ refuses, connects, broker }) => {
    await broker.restarts({
      authenticate: ({ clientId }) =>
        clientId === 'stays'
          ? { accepted: true }
          : {
              accepted: false,
              reasonCode: ReasonCode.UseAnotherServer,
              serverReference: 'other.example:1883',
              reasonString: 'full'
            }
    })
    const connack = await refuses({ clientId: 'goes' }, ReasonCode.UseAnotherServer)
    expect(connack?.properties).toEqual({ serverReference: 'other.example:1883', reasonString: 'full' })
    const client = await connects({ clientId: 'stays' })
    broker.running.disconnect('stays', { reasonCode: ReasonCode.ServerMoved, reason: 'moved', serverReference: '[::1]:1884' })
    await client.isDisconnected({
      reasonCode: ReasonCode.ServerMoved,
      properties: { serverReference: '[::1]:1884', reasonString: 'moved' }
    })
  }
)
