import { seededRandom } from '@godwit/testkit'
import { GodwitProcess } from '../interop/godwit-process.ts'
import { cycles } from './cycles.ts'
import { askCount, askState, openHandles, type ProcessState } from './process-state.ts'
import { RawClient } from './raw-client.ts'
import { Witness } from './witness.ts'

/** Clients, or small groups of them, that live at the same time. */
const CONCURRENCY = 16
/** The first lets code be compiled and pools fill; what the others leave behind is compared with what it did. */
const ROUNDS = 3
/** Sessions live a second longer than their clients, and a connection whose peer is silent lingers some seconds more. */
const SETTLE_MS = 20_000

export interface SoakOptions {
  /** Each cycle follows from it and the cycle's number. */
  readonly seed: number
  readonly seconds: number
}

/** The program with nobody connected. */
export interface Settled extends ProcessState {
  readonly handles: number | undefined
}

export interface SoakResult {
  readonly cycles: number
  /** What went otherwise than it should, each with the cycle it happened in. */
  readonly failures: readonly string[]
  /** Messages that went from one undisturbed client to another meanwhile, each once and in order. */
  readonly witnessed: number
  /** Before the first cycle. */
  readonly start: Settled
  readonly rounds: readonly Settled[]
  readonly exitStatus: number | null
}

/** Lets clients come and go in every way against the real program, in rounds; after each, what is left in the program is looked at. */
export async function soak({ seed, seconds }: SoakOptions): Promise<SoakResult> {
  const probe = new URL('probe.ts', import.meta.url)
  const godwit = await GodwitProcess.start([`--import=${probe.href}`, '--disable-warning=ExperimentalWarning'])
  try {
    const start = await settle(godwit)
    const failures: string[] = []
    const rounds: Settled[] = []
    let count = 0
    let witnessed = 0
    for (let round = 0; round < ROUNDS; round++) {
      const until = performance.now() + (seconds * 1000) / ROUNDS
      const witness = Witness.watch(godwit.port, until)
      const workers = Array.from({ length: CONCURRENCY }, async () => {
        while (performance.now() < until) {
          const failure = await runCycle(godwit, seed, count++)
          if (failure !== undefined) failures.push(failure)
        }
      })
      await Promise.all(workers)
      witnessed += await witness
      rounds.push(await settle(godwit))
    }
    return { cycles: count, failures, witnessed, start, rounds, exitStatus: await godwit.stop() }
  } finally {
    await godwit.stop()
  }
}

const kinds = Object.entries(cycles)

async function runCycle(address: GodwitProcess, seed: number, number: number): Promise<string | undefined> {
  const [title, run] = kinds[number % kinds.length] ?? ['', async () => {}]
  try {
    await run({ address, random: seededRandom(seed + number), name: `soak-${number}` })
    return undefined
  } catch (error) {
    return `cycle ${number}, a client that ${title}: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** Looks at the program once its clients and their sessions are gone, or have had long enough to go. */
async function settle(godwit: GodwitProcess): Promise<Settled> {
  // The broker remembers what the latest topics matched until the next message: let that be nothing.
  const client = await RawClient.connect(godwit.port, { clientId: 'last' })
  await client.publish('nobody/listens', '', { qos: 1 })
  await client.disconnect()
  const until = performance.now() + SETTLE_MS
  while ((await askCount(godwit, 'connections')) + (await askCount(godwit, 'sessions')) > 0 && performance.now() < until);
  return { ...(await askState(godwit)), handles: openHandles(godwit) }
}
