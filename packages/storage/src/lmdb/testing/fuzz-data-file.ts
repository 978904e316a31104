import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, openSync, readSync, closeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { StoreBench } from '../../suite/open-store.ts'
import { fullMessage, message, session, subscription } from '../../suite/samples.ts'
import { LmdbStore } from '../lmdb-store.ts'

export interface DamageFinding {
  readonly number: number
  readonly kind: string
  /** What the store said; undefined: the process did not live to say anything. */
  readonly outcome: string | undefined
  /** The signal or status that ended the process. */
  readonly end: string | undefined
}

/** Opens, reads and changes damaged copies of a store, those of a seed from one number to another. */
export async function* fuzzDataFile(seed: number, first: number, last: number): AsyncGenerator<DamageFinding, void, undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-damage-'))
  try {
    await fill(join(folder, 'whole'))
    // A process that does not survive a case leaves the rest to another.
    for (let next = first; next <= last;) {
      for await (const finding of runCases(folder, seed, next, last)) {
        next = finding.number + 1
        yield finding
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A case that takes longer does not end. */
const CASE_MS_MAX = 30_000

async function* runCases(
  folder: string,
  seed: number,
  first: number,
  last: number
): AsyncGenerator<DamageFinding, void, undefined> {
  const script = fileURLToPath(new URL('damaged-store-process.ts', import.meta.url))
  const child = spawn(process.execPath, ['--conditions=godwit-source', script, folder, ...[seed, first, last].map(String)], {
    stdio: ['ignore', 'pipe', 'ignore']
  })
  const ended = new Promise<string>((resolve) => child.once('exit', (status, signal) => resolve(signal ?? `status ${status}`)))
  let current: { readonly number: number; readonly kind: string } | undefined
  let started = first - 1
  const timer = setTimeout(() => child.kill('SIGKILL'), CASE_MS_MAX)
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      timer.refresh()
      const [, number, kind] = /^case (\d+) (.*)$/.exec(line) ?? []
      if (number !== undefined && kind !== undefined) {
        started = Number(number)
        current = { number: started, kind }
      } else if (current !== undefined) {
        yield { ...current, outcome: line, end: undefined }
        current = undefined
      }
    }
    const end = await ended
    if (current !== undefined) yield { ...current, outcome: undefined, end }
    if (started < first) throw new Error(`the process for case ${first} ended before it: ${end}`)
  } finally {
    clearTimeout(timer)
    child.kill('SIGKILL')
  }
}

/** Sessions, retained messages, and messages enough for branch pages, some of them in overflow pages; of some pages nothing is left. */
async function fill(path: string): Promise<void> {
  mkdirSync(path)
  const bench = new StoreBench({ store: () => new LmdbStore({ path }) })
  const opened = await bench.open()
  const { store } = opened
  const queues = ['#', 'a/#', 'b/+'].map((topicFilter) => store.openQueue(topicFilter))
  for (let count = 0; count < 60; count++) {
    store.putSession(session(`client-${count}`))
    store.putSubscription(`client-${count}`, subscription(`topic/${count}`))
    store.putReceived(`client-${count}`, 1, fullMessage('t'))
    store.putRetained(message(`retained/${count}`, Buffer.alloc(count === 3 ? 9_000 : 200)), count + 1)
  }
  for (let count = 0; count < 400; count++) {
    store.append(message('t', Buffer.alloc(count % 50 === 7 ? 20_000 : 300)), count % 3 === 0 ? queues : queues.slice(0, 1))
  }
  await opened.allCommitted()
  for (const queue of queues) store.trimQueue(queue, 100)
  await opened.allCommitted()
  await bench.close()
  cutToPages(join(path, 'data.mdb'))
}

const PAGE = 4_096

/** Cuts off what the file has in advance: zeros, behind its pages. */
function cutToPages(file: string): void {
  const page = Buffer.alloc(PAGE)
  const descriptor = openSync(file, 'r')
  let pages = Math.floor(statSync(file).size / PAGE)
  for (; pages > 2; pages--) {
    readSync(descriptor, page, 0, PAGE, (pages - 1) * PAGE)
    if (page.some((byte) => byte !== 0)) break
  }
  closeSync(descriptor)
  truncateSync(file, pages * PAGE)
}
