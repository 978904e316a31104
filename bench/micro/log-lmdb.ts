/**
 * What the store on disk costs: appending with synced commits, draining, memory and room for each queued message, and
 * opening again. Each rate is the median of several rounds, each round on a new store in a folder of its own.
 *
 *     node --expose-gc --conditions=godwit-source bench/micro/log-lmdb.ts [FOLDER]
 *
 * FOLDER (default: the system's for temporary files) must be on the disk to be measured.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoredMessage } from '@godwit/storage'
import { LmdbStore } from '@godwit/storage/lmdb'
import { median } from '../statistics.ts'

const ROUNDS = 5
const SLICE = 64
const HELD = 1_000_000
const SESSIONS = 1_000

const parent = process.argv[2] ?? tmpdir()

function message(payloadBytes: number): StoredMessage {
  return {
    topicName: 'devices/1/state',
    payload: new Uint8Array(payloadBytes),
    qos: 1,
    retain: false,
    properties: {},
    publisherClientId: 'bench',
    publishedAtMs: 1_700_000_000_000,
    expiresAtMs: Infinity
  }
}

class Bench {
  readonly path: string = mkdtempSync(join(parent, 'godwit-bench-'))
  store: LmdbStore = new LmdbStore({ path: this.path })
  commits = 0
  onCommitted: (commit: number) => void = () => {}

  async open(): Promise<number> {
    const start = performance.now()
    await this.store.open({
      onCommitted: (commit) => {
        this.commits++
        this.onCommitted(commit)
      },
      onCommitFailed(commit, error) {
        throw new Error(`commit ${commit} failed`, { cause: error })
      }
    })
    return performance.now() - start
  }

  async reopen(): Promise<number> {
    await this.store.close()
    this.store = new LmdbStore({ path: this.path })
    return this.open()
  }

  /** Resolves when everything changed so far is on disk. */
  committed(): Promise<void> {
    const commit = this.store.gatheringCommit
    this.store.deleteWill('nobody')
    this.store.hasten()
    return new Promise((resolve) => (this.onCommitted = (done) => done >= commit && resolve()))
  }

  /** What the file takes up: beyond its pages it is hollow. */
  get fileBytes(): number {
    return statSync(join(this.path, 'data.mdb')).blocks * 512
  }

  async remove(): Promise<void> {
    await this.store.close()
    rmSync(this.path, { recursive: true })
  }
}

/** Keeps so many appends outstanding, as publishers with a window do: what a commit acknowledges is appended anew. */
async function append(bench: Bench, body: StoredMessage, total: number, outstanding: number): Promise<void> {
  const { store } = bench
  const queue = store.openQueue('devices/+/state')
  await bench.committed()
  await new Promise<void>((resolve) => {
    const inCommit = new Map<number, number>()
    let appended = 0
    let acknowledged = 0
    const fill = (count: number): void => {
      const commit = store.gatheringCommit
      const added = Math.min(count, total - appended)
      for (let left = added; left > 0; left--) store.append(body, [queue])
      appended += added
      store.hasten()
      if (added > 0) inCommit.set(commit, (inCommit.get(commit) ?? 0) + added)
    }
    bench.onCommitted = (commit) => {
      const count = inCommit.get(commit) ?? 0
      acknowledged += count
      fill(count)
      if (acknowledged === total) resolve()
    }
    fill(outstanding)
  })
}

async function drain({ store }: Bench): Promise<number> {
  const queue = store.openQueue('devices/+/state')
  let after = 0
  let read = 0
  for (;;) {
    const slice = store.read([{ queue, after }], SLICE)
    const last = slice.at(-1)
    if (last === undefined) return read
    read += slice.length
    after = last.sequence
    store.trimQueue(queue, after)
    // As connections do, which share the thread with the commits' answers.
    if (read % (SLICE * 16) === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

function show(title: string, value: string): void {
  console.log(`${title.padEnd(72)} ${value.padStart(14)}`)
}

function heapBytes(): number {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

for (const [payloadBytes, outstanding, total] of [
  [64, 10_000, 300_000],
  [64, 1_000, 200_000],
  [64, 1, 2_000],
  [1_024, 10_000, 150_000],
  [1_024, 1_000, 100_000]
] as const) {
  const rates: number[] = []
  let commits = 0
  let size = 0
  for (let round = 0; round < ROUNDS; round++) {
    const bench = new Bench()
    await bench.open()
    bench.commits = 0
    const start = performance.now()
    await append(bench, message(payloadBytes), total, outstanding)
    rates.push((total / (performance.now() - start)) * 1_000)
    commits = bench.commits
    size = bench.fileBytes / total
    await bench.remove()
  }
  const title = `append ${payloadBytes} B, 1 queue, ${outstanding.toLocaleString('en')} outstanding (${commits} commits, ${size.toFixed(0)} B on disk)`
  show(title, `${Math.round(median(rates)).toLocaleString('en')}/s`)
}

const drains: number[] = []
for (let round = 0; round < ROUNDS; round++) {
  const bench = new Bench()
  await bench.open()
  await append(bench, message(64), 300_000, 10_000)
  await bench.reopen()
  const start = performance.now()
  const read = await drain(bench)
  await bench.committed()
  drains.push((read / (performance.now() - start)) * 1_000)
  await bench.remove()
}
show(
  `read and trim 64 B, ${SLICE} at a time, 300,000 on disk, to the last commit`,
  `${Math.round(median(drains)).toLocaleString('en')}/s`
)

const bench = new Bench()
await bench.open()
const before = heapBytes()
await append(bench, message(64), HELD, 10_000)
const held = heapBytes() - before
show(`heap for each of ${HELD.toLocaleString('en')} queued messages`, `${(held / HELD).toFixed(2)} B`)
show('data file for each', `${(bench.fileBytes / HELD).toFixed(0)} B`)
for (let session = 0; session < SESSIONS; session++) {
  const clientId = `client-${session}`
  bench.store.putSession({ clientId, sessionExpiryIntervalSeconds: Infinity, disconnectedAtMs: 0, listener: '' })
  bench.store.putSubscription(clientId, {
    topicFilter: 'devices/+/state',
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
    subscriptionIdentifier: 0,
    since: 0,
    retainedScan: undefined,
    skipped: [],
    leaving: undefined,
    replay: undefined
  })
}
await bench.committed()
const openings: number[] = []
for (let round = 0; round < ROUNDS; round++) openings.push(await bench.reopen())
show(
  `open with ${HELD.toLocaleString('en')} messages and ${SESSIONS.toLocaleString('en')} sessions`,
  `${median(openings).toFixed(0)} ms`
)

const queue = bench.store.openQueue('devices/+/state')
const size = bench.fileBytes
let slowestTurnMs = 0
let turn = performance.now()
const timer = setInterval(() => {
  slowestTurnMs = Math.max(slowestTurnMs, performance.now() - turn)
  turn = performance.now()
}, 1)
const start = performance.now()
bench.store.trimQueue(queue, bench.store.lastSequence)
await bench.committed()
show(`trim ${HELD.toLocaleString('en')} messages: the first commit`, `${(performance.now() - start).toFixed(0)} ms`)
// Each commit goes on with it.
for (let commits = Math.ceil(HELD / 2_000); commits > 0; commits--) await bench.committed()
show('trim: until all is gone from the file', `${(performance.now() - start).toFixed(0)} ms`)
clearInterval(timer)
show('trim: the longest turn of the event loop meanwhile', `${slowestTurnMs.toFixed(0)} ms`)
await append(bench, message(64), HELD, 10_000)
show('data file after as many more', `${((bench.fileBytes / size) * 100).toFixed(0)} %`)
await bench.remove()
