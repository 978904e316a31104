import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { MosquittoVersion } from './mosquitto-clients.ts'
import { describeMosquitto, everyVersion } from './mosquitto-suite.ts'

const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`)
const directory = mkdtempSync(join(tmpdir(), 'godwit-history-'))
const file = join(directory, 'godwit.yaml')
writeFileSync(file, 'history:\n  - { topicFilter: sensors/#, seconds: 3600, messages: 1000 }\n')
afterAll(() => rmSync(directory, { recursive: true }))

describeMosquitto('history for mosquitto_sub', ['--config', file], ({ publish, subscribe }) => {
  beforeAll(async () => {
    await publish('mqttv5', 'sensors/kitchen', 0, ['-l'], `${lines.join('\n')}\n`)
    // Sent behind them by another client, and acknowledged: they are there.
    await publish('mqttv5', 'sensors/garden', 1, ['-m', 'rain'])
  })

  const takes = async (version: MosquittoVersion, topicFilter: string, count: number, flags: readonly string[] = []) => {
    const sub = await subscribe(version, topicFilter, 1, ['-C', `${count}`, ...flags])
    const received = await sub.received.take(count)
    expect(await sub.exited).toBe(0)
    return received
  }

  it.each(everyVersion)('-V %s: -t $replay/ has what was there, in order', async (version) => {
    const received = await takes(version, '$replay/all/sensors/#', 301)
    expect(received.map(({ payload }) => payload)).toEqual([...lines, 'rain'])
    expect(received[0]).toMatchObject({ topicName: 'sensors/kitchen', qos: 0, retain: false })
    const last = await takes(version, '$replay/last=2/sensors/kitchen', 2)
    expect(last.map(({ payload }) => payload)).toEqual(lines.slice(-2))
  })

  it('-D subscribe user-property has it as well, and goes on live', async () => {
    const flags = ['-D', 'subscribe', 'user-property', 'godwit-replay', 'last=1']
    const sub = await subscribe('mqttv5', 'sensors/garden', 1, ['-C', '2', ...flags])
    const first = await sub.received.next()
    expect(first.payload).toBe('rain')
    expect(first.printed).toMatch(/"godwit-sequence":"\d+"/)
    await publish('mqttv5', 'sensors/garden', 1, ['-m', 'sun'])
    expect((await sub.received.next()).payload).toBe('sun')
    expect(await sub.exited).toBe(0)
  })
})
