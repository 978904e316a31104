import { randomInt } from 'node:crypto'
import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { crashRun, type CrashRunResult } from './crash-run.ts'

const KILLS = 24
const THREADED_KILLS = 10

function newSeed(): number {
  const seed = randomInt(2 ** 31)
  console.log(`crash: seed ${seed}`)
  return seed
}

/** A run that was to fail leaves nothing behind. */
function removeData({ data }: CrashRunResult): void {
  if (data !== undefined) rmSync(data, { recursive: true, force: true })
}

it(
  `given a broker that is killed ${KILLS} times under load, then everything that it acknowledged is accounted for`,
  { timeout: 180_000 },
  async () => {
    const seed = newSeed()
    const { failures, messages, deliveries, kills, data } = await crashRun({ seed, kills: KILLS })
    console.log(`crash: ${messages} messages, ${deliveries} deliveries`)
    expect(failures, `seed ${seed}; the data is in ${data}`).toEqual([])
    expect(Math.min(...Object.values(kills))).toBeGreaterThan(0)
    expect(messages).toBeGreaterThan(500)
    expect(deliveries).toBeGreaterThan(2_000)
  }
)

it(
  `given a broker with two I/O threads that is killed ${THREADED_KILLS} times under load, then everything that it acknowledged is accounted for`,
  { timeout: 120_000 },
  async () => {
    const seed = newSeed()
    const { failures, deliveries, data } = await crashRun({ seed, kills: THREADED_KILLS, ioThreads: 2 })
    expect(failures, `seed ${seed}; the data is in ${data}`).toEqual([])
    expect(deliveries).toBeGreaterThan(500)
  }
)

it('given a broker that keeps everything in memory, then the run finds its sessions lost', { timeout: 120_000 }, async () => {
  const result = await crashRun({ seed: newSeed(), kills: 1, inMemory: true, patienceMs: 1_000 })
  expect(result.failures).toContain('online-2 lost its session, which had been acknowledged')
  removeData(result)
})

it(
  'given a broker that acknowledges before its commit is on disk, then the run finds acknowledged messages lost',
  { timeout: 120_000 },
  async () => {
    const fault = new URL('acknowledge-early.ts', import.meta.url)
    const nodeFlags = [`--import=${fault.href}`]
    const result = await crashRun({ seed: newSeed(), kills: 6, nodeFlags, patienceMs: 1_500 })
    expect(result.failures.join('\n')).toMatch(/never received|QoS 2, 2 times/)
    removeData(result)
  }
)
