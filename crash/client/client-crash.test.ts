import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { clientCrashRun } from './client-crash-run.ts'
import { MortalGodwit, MortalMosquitto } from './mortal-server.ts'

const KILLS = 16

const hasMosquitto = spawnSync('mosquitto', ['-h'], { stdio: 'ignore' }).error === undefined

function newSeed(): number {
  const seed = randomInt(2 ** 31)
  console.log(`client crash: seed ${seed}`)
  return seed
}

it(
  `given publishers with file outboxes that are killed ${KILLS} times, and Godwit now and then, then what they stored arrives, at QoS 2 once`,
  { timeout: 180_000 },
  async () => {
    const seed = newSeed()
    const { failures, stored, serverEnds, folder } = await clientCrashRun({
      seed,
      kills: KILLS,
      server: new MortalGodwit(),
      serverEnds: 3
    })
    console.log(`client crash: ${stored} messages stored, Godwit killed ${serverEnds} times`)
    expect(failures, `seed ${seed}; the outboxes are in ${folder}`).toEqual([])
    expect(stored).toBeGreaterThan(500)
  }
)

it.skipIf(!hasMosquitto)(
  `given publishers with file outboxes that are killed ${KILLS} times, and Mosquitto (needs mosquitto), then what they stored arrives, at QoS 2 once`,
  { timeout: 180_000 },
  async () => {
    const seed = newSeed()
    const { failures, stored, folder } = await clientCrashRun({
      seed,
      kills: KILLS,
      server: new MortalMosquitto(),
      serverEnds: 0
    })
    console.log(`client crash: ${stored} messages stored`)
    expect(failures, `seed ${seed}; the outboxes are in ${folder}`).toEqual([])
    expect(stored).toBeGreaterThan(500)
  }
)

it(
  'given outboxes that only say that they are durable, then the run finds stored messages lost',
  { timeout: 120_000 },
  async () => {
    const server = new MortalGodwit()
    const result = await clientCrashRun({
      seed: newSeed(),
      kills: 6,
      server,
      serverEnds: 4,
      isForgetful: true,
      patienceMs: 1_000
    })
    expect(result.failures.join('\n')).toMatch(/was stored and never received|QoS 2 came 2 times/)
    if (result.folder !== undefined) rmSync(result.folder, { recursive: true, force: true })
  }
)
