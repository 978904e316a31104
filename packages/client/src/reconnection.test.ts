import { PacketType, PINGRESP, ProtocolVersion, ReasonCode } from '@godwit/protocol'
import { disconnect, outcome, publish } from '@godwit/testkit'
import { expect } from 'vitest'
import { events, served } from './client-scenario.test.support.ts'
import { connect } from './connect.ts'

served('attempts come ever later, up to a bound, and never all at once', async (stage) => {
  const { opens, clock } = stage
  stage.unreachable = 'refused'
  const client = await opens({ reconnect: { minimumDelayMs: 1_000, maximumDelayMs: 8_000 } })
  const told = events(client, 'waiting')
  await clock.advancesSeconds(120)
  const delays = told.map(({ event }) => event.delayMs)
  for (const [index, delayMs] of delays.entries()) {
    // The first wait, before attempt 2, was over before anyone listened.
    const most = Math.min(1_000 * 2 ** (index + 2), 8_000)
    expect(delayMs).toBeLessThanOrEqual(most)
    expect(delayMs).toBeGreaterThanOrEqual(most / 2)
  }
  expect(new Set(delays).size).toBeGreaterThan(delays.length / 2)
  expect(told.map(({ event }) => event.attempt)).toEqual(delays.map((_, index) => index + 3))
})

served('after a success counting begins again', async ({ connects, clock, isCalledAgain }) => {
  const [client, first] = await connects({ reconnect: { minimumDelayMs: 1_000 } })
  const told = events(client, 'waiting', 'connecting')
  await first.breaks()
  const second = await isCalledAgain()
  await second.accepts({ sessionPresent: true })
  await clock.advancesSeconds(100)
  await second.breaks()
  await (await isCalledAgain()).accepts({ sessionPresent: true })
  expect(told.map(({ event }) => event.attempt)).toEqual([1, 1, 1, 1])
})

served('every change of state is an event, in order', async ({ connects, isCalledAgain, settles }) => {
  const [client, first] = await connects({ sessionExpirySeconds: 60 })
  const names = ['state', 'connecting', 'connected', 'disconnected', 'connectFailed', 'waiting', 'sessionLost', 'closed'] as const
  const told = events(client, ...names)
  await first.breaks()
  const second = await isCalledAgain()
  await second.refuses(ReasonCode.ServerBusy)
  const third = await isCalledAgain()
  await third.accepts()
  void client.close({ drainMs: 0 })
  await third.receives({ type: PacketType.Disconnect })
  await third.isClosed()
  await settles()
  expect(told.map(({ name, event }) => ('state' in event ? event.state : name))).toEqual([
    'disconnected',
    'waiting',
    'waiting',
    'connecting',
    'connecting',
    'connectFailed',
    'waiting',
    'waiting',
    'connecting',
    'connecting',
    'connected',
    'connected',
    'sessionLost',
    'closing',
    'disconnected',
    'closed',
    'closed'
  ])
})

served(
  'several servers are tried in turn, at once, and then again after a while',
  async ({ opens, isCalled, isCalledAgain, isNotCalled }) => {
    await opens({}, ['mqtt://one', 'mqtt://two', 'mqtt://three'])
    for (const name of ['one', 'two', 'three']) {
      const server = await isCalled()
      expect(server.target.url).toContain(name)
      await server.refuses(ReasonCode.ServerUnavailable)
    }
    await isNotCalled()
    for (const name of ['one', 'two']) {
      const server = await isCalledAgain()
      expect(server.target.url).toContain(name)
      if (name === 'one') await server.refuses(ReasonCode.ServerUnavailable)
      else {
        await server.accepts()
        await server.breaks()
      }
    }
    // After a lost connection the first is the first again.
    const server = await isCalledAgain()
    expect(server.target.url).toContain('one')
    await server.accepts({ sessionPresent: true })
  }
)

for (const [reasonCode, later] of [
  [ReasonCode.UseAnotherServer, 'server'],
  [ReasonCode.ServerMoved, 'other:1884']
] as const) {
  served(
    `a Server Reference is followed (${reasonCode.toString(16)}), where that was allowed`,
    async ({ opens, isCalled, isCalledAgain }) => {
      await opens({ followServerReference: true })
      await (await isCalled()).refuses(reasonCode, { serverReference: 'other:1884 another' })
      const second = await isCalled()
      expect(second.target.url).toContain('other:1884')
      await second.accepts()
      await second.breaks()
      const third = await isCalledAgain()
      expect(third.target.url).toContain(later)
      await third.accepts()
    }
  )

  served(`and ends the client otherwise (${reasonCode.toString(16)})`, async ({ opens, isCalled, isNotCalled, clock }) => {
    const client = await opens()
    const told = events(client, 'closed')
    await (await isCalled()).refuses(reasonCode, { serverReference: 'other' })
    expect(told).toMatchObject([{ event: { error: { code: 'connection-refused', reasonCode, serverReference: 'other' } } }])
    await clock.advancesSeconds(1_000)
    await isNotCalled()
  })
}

served('servers that send us round in a circle are left after a while', async ({ opens, isCalled, isNotCalled }) => {
  const client = await opens({ followServerReference: true })
  for (let count = 0; count < 6; count++) {
    await (await isCalled()).refuses(ReasonCode.UseAnotherServer, { serverReference: `server-${count}` })
  }
  await isNotCalled()
  expect(client.state).toBe('closed')
})

served('a client whose session was taken over does not take it back', async ({ connects, isNotCalled, clock, settles }) => {
  const [client, server] = await connects()
  const told = events(client, 'closed')
  const loop = client.subscribe('t')[Symbol.asyncIterator]()
  await server.grants()
  const next = loop.next()
  next.catch(() => undefined)
  const delivery = client.publish('t', '', { qos: 1 })
  await server.receives({ type: PacketType.Publish })
  await server.closes(disconnect(ReasonCode.SessionTakenOver))
  await settles()
  const error = { code: 'disconnected-by-server', reasonCode: ReasonCode.SessionTakenOver }
  expect(told).toMatchObject([{ event: { error } }])
  expect(await outcome(next)).toMatchObject({ is: 'rejected', error })
  expect(await outcome(delivery)).toMatchObject({ is: 'rejected', error })
  await clock.advancesSeconds(1_000)
  await isNotCalled()
})

served(
  'attempts may be bounded, and so may what is worth another',
  async ({ opens, clock, isCalled, isCalledAgain, isNotCalled }) => {
    const client = await opens({ reconnect: { attempts: 2 } })
    await (await isCalled()).refuses(ReasonCode.ServerBusy)
    await (await isCalledAgain()).refuses(ReasonCode.ServerBusy)
    await clock.advancesSeconds(1_000)
    await isNotCalled()
    expect(client.state).toBe('closed')
    const picky = await opens({ reconnect: { shouldRetry: ({ reasonCode }) => reasonCode !== ReasonCode.Banned } })
    await (await isCalled()).refuses(ReasonCode.ServerBusy)
    await (await isCalledAgain()).refuses(ReasonCode.Banned)
    expect(picky.state).toBe('closed')
  }
)

served('an application that throws when it is asked ends the client, not the process', async ({ opens, isCalled }) => {
  const shouldRetry = (): boolean => {
    throw new Error('a mistake')
  }
  const client = await opens({ reconnect: { shouldRetry } })
  const told = events(client, 'closed')
  await (await isCalled()).refuses(ReasonCode.ServerBusy)
  expect(told).toMatchObject([{ event: { error: { message: 'The client cannot go on: a mistake' } } }])
  expect(client.state).toBe('closed')
})

served('without reconnect a lost connection is the end', async ({ connects, isNotCalled, clock }) => {
  const [client, server] = await connects({ reconnect: false })
  await server.breaks()
  expect(client.state).toBe('closed')
  await clock.advancesSeconds(1_000)
  await isNotCalled()
})

served('a half-open link is noticed', async ({ connects, clock, isCalledAgain }) => {
  const [client, first] = await connects({ keepAliveSeconds: 60 })
  const told = events(client, 'disconnected')
  const startedAtMs = clock.now()
  first.goesSilent()
  const second = await isCalledAgain()
  expect(clock.now() - startedAtMs).toBeLessThan(65_000)
  await second.accepts({ sessionPresent: true })
  expect(told).toMatchObject([{ event: { error: { code: 'keep-alive-timeout' } } }])
})

served('also where we go on sending, and the answer may take its time', async ({ connects, clock, isCalledAgain }) => {
  const [client, server] = await connects({ keepAliveSeconds: 30, pingTimeoutMs: 5_000 })
  server.answersPings = false
  const told = events(client, 'disconnected')
  for (let count = 0; count < 26; count++) {
    await clock.advancesSeconds(1)
    void client.publish('t', '')
    await server.receives({ type: PacketType.Publish })
  }
  await clock.advancesSeconds(1)
  await server.receives({ type: PacketType.Pingreq })
  await clock.advancesMs(4_900)
  await server.sends(PINGRESP)
  await clock.advancesSeconds(10)
  expect(told).toEqual([])
  // Whatever is heard says that the link is alive.
  await clock.advancesSeconds(17)
  await server.receives({ type: PacketType.Pingreq })
  await server.sends(publish('t'))
  await clock.advancesSeconds(6)
  expect(told).toEqual([])
  await clock.advancesSeconds(21)
  await server.receives({ type: PacketType.Pingreq })
  await clock.advancesMs(5_100)
  expect(told).toMatchObject([{ event: { error: { code: 'keep-alive-timeout' } } }])
  server.ignoresTheRest()
  await (await isCalledAgain()).accepts()
})

served('a server that does not answer CONNECT is given up in time', async ({ opens, clock, isCalled }) => {
  const client = await opens({ connectTimeoutMs: 5_000 })
  const told = events(client, 'connectFailed')
  const server = await isCalled()
  await server.receivesConnect()
  await clock.advancesMs(4_999)
  expect(client.state).toBe('connecting')
  await clock.advancesMs(1)
  await server.isClosed()
  expect(told).toMatchObject([{ event: { error: { code: 'unreachable' }, url: 'mqtt://server', attempt: 1 } }])
})

served('so is one that cannot be reached, also by a transport that does not look at its signal', async (stage) => {
  const { opens, clock } = stage
  const client = await opens({ connectTimeoutMs: 5_000, transport: () => new Promise(() => undefined) })
  const told = events(client, 'connectFailed')
  await clock.advancesSeconds(5)
  expect(told).toMatchObject([{ event: { error: { code: 'unreachable' } } }])
  const closing = client.close()
  await stage.settles()
  expect(await outcome(closing)).toMatchObject({ is: 'resolved' })
})

for (const [what, answers] of [
  ['closes', async (server: { closes(): Promise<void> }) => await server.closes()],
  [
    'refuses',
    async (server: { refuses(code: 0x84): Promise<void> }) => await server.refuses(ReasonCode.UnsupportedProtocolVersion)
  ]
] as const) {
  served(
    `where a server ${what}, the next older version is tried, if that was allowed`,
    async ({ opens, isCalled, isCalledAgain }) => {
      const client = await opens({ fallBack: true, clientId: 'short' })
      const first = await isCalled()
      await first.receivesConnect({ protocolVersion: ProtocolVersion.Mqtt5 })
      await answers(first)
      const second = await isCalled()
      await second.receivesConnect({ protocolVersion: ProtocolVersion.Mqtt311 })
      await second.closes()
      const third = await isCalled()
      await third.receivesConnect({ protocolVersion: ProtocolVersion.Mqtt31 })
      expect(third.target.subprotocol).toBe('mqttv3.1')
      await third.accepts()
      expect(client.connection?.protocolVersion).toBe(ProtocolVersion.Mqtt31)
      // What was accepted once is what is spoken from then on.
      await third.breaks()
      const fourth = await isCalledAgain()
      await fourth.receivesConnect({ protocolVersion: ProtocolVersion.Mqtt31 })
      await fourth.accepts()
    }
  )
}

served('`connect` resolves with the connection, and rejects when every server was tried in vain', async ({ settles }) => {
  const refused = connect(['mqtt://one', 'mqtt://two'], {
    transport: () => Promise.reject(new Error('connection refused'))
  })
  refused.catch(() => undefined)
  await settles()
  expect(await outcome(refused)).toMatchObject({
    is: 'rejected',
    error: { code: 'unreachable', message: 'mqtt://two cannot be reached: connection refused' }
  })
})

served('`connect` is given up by its signal', async ({ settles, clock }) => {
  const aborting = new AbortController()
  const timers = clock.timers
  const opening = connect('mqtt://one', { signal: aborting.signal, transport: () => new Promise(() => undefined) })
  opening.catch(() => undefined)
  await settles()
  aborting.abort(new Error('enough'))
  await settles()
  expect(await outcome(opening)).toMatchObject({ is: 'rejected', error: { code: 'aborted', cause: { message: 'enough' } } })
  expect(clock.timers).toBe(timers)
})
