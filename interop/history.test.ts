import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GodwitProcess } from './godwit-process.ts'
import { hasMosquittoClients, mosquittoPub, MosquittoSub, type MosquittoVersion } from './mosquitto-clients.ts'

const available = hasMosquittoClients()
const without = available ? '' : ' (skipped: this machine has no mosquitto-clients)'
const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`)

describe.skipIf(!available)(`history for mosquitto_sub${without}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-history-'))
  let godwit: GodwitProcess
  beforeAll(async () => {
    const file = join(directory, 'godwit.yaml')
    writeFileSync(file, 'history:\n  - { topicFilter: sensors/#, seconds: 3600, messages: 1000 }\n')
    godwit = await GodwitProcess.start([], ['--config', file])
    await mosquittoPub(godwit.port, 'mqttv5', ['-t', 'sensors/kitchen', '-q', '0', '-l'], `${lines.join('\n')}\n`)
    // Sent behind them by another client, and acknowledged: they are there.
    await mosquittoPub(godwit.port, 'mqttv5', ['-t', 'sensors/garden', '-q', '1', '-m', 'rain'])
  })
  afterAll(async () => {
    await godwit.stop()
    rmSync(directory, { recursive: true })
  })

  const takes = async (version: MosquittoVersion, topicFilter: string, count: number, flags: readonly string[] = []) => {
    const sub = await MosquittoSub.subscribe(godwit.port, version, topicFilter, 1, ['-C', `${count}`, ...flags])
    const received = await sub.received.take(count)
    expect(await sub.exited).toBe(0)
    return received
  }

  it.each(['mqttv31', 'mqttv311', 'mqttv5'] as const)('-V %s: -t $replay/ has what was there, in order', async (version) => {
    const received = await takes(version, '$replay/all/sensors/#', 301)
    expect(received.map(({ payload }) => payload)).toEqual([...lines, 'rain'])
    expect(received[0]).toMatchObject({ topicName: 'sensors/kitchen', qos: 0, retain: false })
    const last = await takes(version, '$replay/last=2/sensors/kitchen', 2)
    expect(last.map(({ payload }) => payload)).toEqual(lines.slice(-2))
  })

  it('-D subscribe user-property has it as well, and goes on live', async () => {
    const flags = ['-D', 'subscribe', 'user-property', 'godwit-replay', 'last=1']
    const sub = await MosquittoSub.subscribe(godwit.port, 'mqttv5', 'sensors/garden', 1, ['-C', '2', ...flags])
    const first = await sub.received.next()
    expect(first.payload).toBe('rain')
    expect(first.printed).toMatch(/"godwit-sequence":"\d+"/)
    await mosquittoPub(godwit.port, 'mqttv5', ['-t', 'sensors/garden', '-q', '1', '-m', 'sun'])
    expect((await sub.received.next()).payload).toBe('sun')
    expect(await sub.exited).toBe(0)
  })
})
