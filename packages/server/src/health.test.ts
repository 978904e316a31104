import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { configurationSchema } from './configuration-schema.ts'
import { Health } from './health.ts'
import { type HttpServer, listenHttp } from './http-server.ts'
import { upgrade } from './upgrade.test.support.ts'

let health: Health
let http: HttpServer
const accepted: string[] = []

beforeEach(async () => {
  health = new Health()
  http = await listenHttp({
    configuration: configurationSchema.parse({ http: { port: 0 } }).http,
    onlyLoopbackOrigins: true,
    maxMessageBytes: 1024,
    connectionsMax: 10,
    health,
    accept: (transport) => accepted.push(transport.kind),
    onError: () => undefined
  })
})
afterEach(() => http.close())

async function ask(path: string): Promise<readonly [status: number, body: unknown]> {
  const response = await fetch(`${http.url}/health${path}`)
  return [response.status, await response.json()]
}

async function upgradeStatus(): Promise<number | undefined> {
  return upgrade(`${http.webSocketUrl}`)
}

test('before what the store holds is restored it is alive, not ready, and lets nobody in', async () => {
  expect(await ask('/live')).toEqual([200, { status: 'ok' }])
  expect(await ask('/ready')).toEqual([503, { status: 'starting' }])
  expect(await ask('')).toEqual([200, expect.objectContaining({ status: 'starting', alarms: [] })])
  expect(await upgradeStatus()).toBe(503)
  expect(accepted).toEqual([])
  health.run()
  expect(await ask('/ready')).toEqual([200, { status: 'ok' }])
  expect(await upgradeStatus()).toBe(101)
  expect(accepted).toEqual(['websocket'])
})

describe('alarms', () => {
  const time: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/)
  const failing = (reason: string) => ({ name: 'store-failing', reason, since: time })

  test('while the store fails it is alive, degraded, and not ready for more', async () => {
    health.run()
    health.alarms.raise('store-failing', 'no room')
    expect(await ask('/live')).toEqual([200, { status: 'ok' }])
    expect(await ask('/ready')).toEqual([503, { status: 'degraded', alarms: [failing('no room')] }])
    expect(await ask('')).toEqual([200, expect.objectContaining({ status: 'degraded', alarms: [failing('no room')] })])
    // Those who are there need to go on: delivering is what makes room.
    expect(await upgradeStatus()).toBe(101)
    health.alarms.clear('store-failing')
    expect(await ask('/ready')).toEqual([200, { status: 'ok' }])
  })

  test('what began is what is told, and not repeated', () => {
    health.alarms.raise('store-failing', 'first')
    const before = health.alarms.raised
    health.alarms.raise('store-failing', 'second')
    expect(before).toEqual([failing('first')])
    expect(health.alarms.raised).toEqual(before)
  })

  test.each(['data-set-aside', 'data-damaged'] as const)('%s does not keep clients away', async (name) => {
    health.run()
    health.alarms.raise(name, 'page 7')
    expect(await ask('/ready')).toEqual([200, { status: 'degraded', alarms: [expect.objectContaining({ name })] }])
  })

  test('while it starts or stops, that is what it says', async () => {
    health.alarms.raise('data-set-aside', 'page 7')
    expect((await ask('/ready'))[0]).toBe(503)
    expect(health.status).toBe('starting')
    health.stop()
    expect(health.status).toBe('stopping')
  })
})
