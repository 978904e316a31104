import { PacketType, PINGRESP } from '@godwit/protocol'
import { publish } from '@godwit/testkit'
import { expect } from 'vitest'
import { served } from '../client-scenario.test.support.ts'

served('[5.0 MQTT-3.1.2-20] PINGREQ leaves before the keep alive is over', async ({ connects, clock }) => {
  const [, server] = await connects({ keepAliveSeconds: 60 })
  server.answersPings = false
  for (let count = 0; count < 3; count++) {
    await clock.advancesSeconds(53)
    await server.receivesNothing()
    await clock.advancesSeconds(1)
    await server.receives({ type: PacketType.Pingreq })
    await server.sends(PINGRESP)
  }
})

served('[5.0 MQTT-3.1.2-20] whatever is received, a client that sends nothing pings', async ({ connects, clock }) => {
  const [client, server] = await connects({ keepAliveSeconds: 60 })
  server.answersPings = false
  client.subscribe('#', {}, () => undefined)
  await server.receives({ type: PacketType.Subscribe })
  const startedAtMs = clock.now()
  let pings = 0
  while (clock.now() - startedAtMs < 600_000) {
    await clock.advancesSeconds(10)
    await server.sends(publish('t'))
    if (server.inbox.length === 0) continue
    await server.receives({ type: PacketType.Pingreq })
    await server.sends(PINGRESP)
    pings++
  }
  expect(pings).toBeGreaterThanOrEqual(10)
})

served('[5.0 MQTT-3.1.2-20] with a keep alive of 0 there are no pings', async ({ connects, clock }) => {
  const [, server] = await connects({ keepAliveSeconds: 0 })
  server.answersPings = false
  await clock.advancesSeconds(1_000_000)
  await server.receivesNothing()
})

served('[5.0 MQTT-3.1.2-21] [5.0 MQTT-3.2.2-21] the Server Keep Alive holds in place of our own', async ({ connects, clock }) => {
  const [client, server] = await connects({ keepAliveSeconds: 600 }, { serverKeepAlive: 10 })
  server.answersPings = false
  expect(client.connection?.keepAliveSeconds).toBe(10)
  await clock.advancesMs(9_500)
  await server.receives({ type: PacketType.Pingreq })
  await server.sends(PINGRESP)
  await clock.advancesMs(9_500)
  await server.receives({ type: PacketType.Pingreq })
})

served('[5.0 MQTT-3.1.2-21] [5.0 MQTT-3.2.2-21] also where we asked for none', async ({ connects, clock }) => {
  const [client, server] = await connects({ keepAliveSeconds: 0 }, { serverKeepAlive: 10 })
  server.answersPings = false
  await clock.advancesMs(9_500)
  await server.receives({ type: PacketType.Pingreq })
  await server.sends(PINGRESP)
  await clock.advancesSeconds(5)
  expect(client.state).toBe('connected')
})

served('[5.0 MQTT-3.1.2-21] [5.0 MQTT-3.2.2-21] a Server Keep Alive of 0 needs no pings', async ({ connects, clock }) => {
  const [, server] = await connects({ keepAliveSeconds: 60 }, { serverKeepAlive: 0 })
  server.answersPings = false
  await clock.advancesSeconds(100_000)
  await server.receivesNothing()
})
