import { PacketType, ReasonCode } from '@godwit/protocol'
import { connect, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

scenario(
  'a client that sends no CONNECT is closed after the connect timeout [5.0 3.1.4]',
  { limits: { connectTimeoutSeconds: 5 } },
  async ({ raw, clock }) => {
    const silent = await raw()
    const slow = await raw()
    await slow.sendsBytes('10 0e 00 04 4d 51')
    await clock.advancesMs(4900)
    await silent.receivesNothing()
    await slow.receivesNothing()
    await clock.advancesMs(200)
    await silent.isClosed()
    await slow.isClosed()
  }
)

scenario(
  'bytes that trickle in do not prolong the connect timeout [5.0 3.1.4]',
  { limits: { connectTimeoutSeconds: 5 } },
  async ({ raw, clock }) => {
    const client = await raw()
    for (const byte of ['10', '0e', '00', '04', '4d']) {
      await client.sendsBytes(byte)
      await clock.advancesSeconds(1)
    }
    await client.isClosed()
  }
)

scenario('an authentication that takes too long ends with the connect timeout [5.0 3.1.4]', async ({ raw, clock, broker }) => {
  await broker.restarts({ authenticate: () => Promise.withResolvers<never>().promise, limits: { connectTimeoutSeconds: 5 } })
  const client = await raw()
  await client.sends(connect({ clientId: 'a' }))
  await clock.advancesMs(5100)
  await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.NotAuthorized })
  await client.isClosed()
})

scenario('a verdict that comes after the connect timeout lets nobody in [5.0 3.1.4]', async ({ raw, clock, broker, settles }) => {
  const verdict = Promise.withResolvers<{ readonly accepted: true }>()
  await broker.restarts({ authenticate: () => verdict.promise, limits: { connectTimeoutSeconds: 5 } })
  const client = await raw()
  await client.sends(connect({ clientId: 'a', sessionExpirySeconds: 100, will: { topicName: 'will' } }))
  await clock.advancesMs(5100)
  await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.NotAuthorized })
  await client.isClosed()
  verdict.resolve({ accepted: true })
  await settles()
  expect(broker.running.counts).toMatchObject({ clients: 0, sessions: 0 })
})

scenario(
  'connections beyond those that may be pending are closed at once [5.0 3.1.4]',
  { limits: { pendingConnectionsMax: 2 } },
  async ({ raw, connects }) => {
    const first = await connects()
    const pending = [await raw(), await raw()]
    const third = await raw()
    await third.isClosed()
    for (const client of pending) await client.receivesNothing()
    await pending[0]?.isAccepted(connect({ clientId: 'a' }))
    const next = await connects()
    await next.receivesNothing()
    await first.receivesNothing()
  }
)

scenario(
  'clients beyond the limit are refused with 0x97; one that takes over its own connection is not [5.0 3.1.4]',
  { limits: { clientsMax: 2 } },
  async ({ connects, refuses }) => {
    const first = await connects({ clientId: 'first' })
    const second = await connects({ clientId: 'second' })
    await refuses({ clientId: 'third' }, ReasonCode.QuotaExceeded)
    await connects({ clientId: 'second' })
    await second.isDisconnected({ reasonCode: ReasonCode.SessionTakenOver })
    await first.disconnects()
    await connects({ clientId: 'third' })
  }
)

scenario(
  'sessions beyond the limit are refused with 0x97; one that is there goes on [5.0 3.1.4]',
  { limits: { sessionsMax: 2 } },
  async ({ connects, refuses, clock }) => {
    const first = await connects({ clientId: 'first', sessionExpirySeconds: 10 })
    await first.disconnects()
    await connects({ clientId: 'second' })
    await refuses({ clientId: 'third' }, ReasonCode.QuotaExceeded)
    const back = await first.reconnects()
    expect(back.connack.sessionPresent).toBe(true)
    await back.disconnects()
    await clock.advancesSeconds(11)
    await connects({ clientId: 'third' })
  }
)

scenario('a server that is shutting down takes no new client [5.0 3.1.4]', async ({ raw, connects, broker, settles }) => {
  const reader = await connects()
  reader.pausesReading()
  const pending = await raw()
  const stopping = broker.stops()
  await settles()
  await pending.isClosed()
  await stopping
})
