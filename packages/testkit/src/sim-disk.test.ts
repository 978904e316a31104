import { NO_PROPERTIES } from '@godwit/protocol'
import type { SessionRecord, StoreContents, StoredMessage } from '@godwit/storage'
import { describeStore } from '@godwit/storage/suite'
import { describe, expect, test } from 'vitest'
import { seededRandom } from './random.ts'
import { SimClock } from './sim-clock.ts'
import { SimDisk, type SimDiskOptions } from './sim-disk.ts'

describeStore('SimDisk', () => {
  const disk = new SimDisk(new SimClock(), { schedule: setImmediate })
  return { store: () => disk }
})

describe('a SimDisk whose process dies', () => {
  test('loses what was gathered, and what was written and not synced', async () => {
    const { disk, heard } = await opened()
    disk.putSession(session('synced'))
    steps(disk, 2)
    disk.putSession(session('written'))
    steps(disk, 1)
    disk.putSession(session('gathered'))
    expect([disk.isWriting, heard]).toEqual([true, ['committed 1']])
    await disk.crashes()
    expect(clientIds(await disk.open(SILENT))).toEqual(['synced'])
  })

  test('keeps a commit whole, or not at all, as the seed has it', async () => {
    const kept = new Set<string>()
    for (let seed = 0; seed < 50; seed++) {
      const { disk } = await opened({ random: seededRandom(seed) })
      for (const clientId of ['a', 'b', 'c']) disk.putSession(session(clientId))
      steps(disk, 1)
      await disk.crashes()
      kept.add(clientIds(await disk.open(SILENT)).join())
    }
    expect([...kept].sort()).toEqual(['', 'a,b,c'])
  })

  test('takes part of a commit for the whole, if it is told to make that mistake', async () => {
    const kept = new Set<string>()
    for (let seed = 0; seed < 50; seed++) {
      const { disk } = await opened({ random: seededRandom(seed), fault: 'tears-silently' })
      for (const clientId of ['a', 'b', 'c']) disk.putSession(session(clientId))
      steps(disk, 1)
      await disk.crashes()
      kept.add(clientIds(await disk.open(SILENT)).join())
    }
    expect([...kept].sort()).toEqual(['', 'a', 'a,b', 'a,b,c'])
  })

  test('leaves out sequence numbers, and gives none twice that was committed', async () => {
    const gaps = new Set<number>()
    for (let seed = 0; seed < 50; seed++) {
      const { disk } = await opened({ random: seededRandom(seed) })
      const committed = disk.append(MESSAGE, [])
      steps(disk, 2)
      await disk.crashes()
      await disk.open(SILENT)
      gaps.add(disk.append(MESSAGE, []) - committed)
    }
    expect([...gaps].sort((a, b) => a - b)).toEqual([1, 2, 3, 4])
  })

  test('keeps the progress that a consumer had when its commit was written', async () => {
    const { disk } = await opened()
    disk.putSession(session('a'))
    let cursor = 1
    const consumer = {
      kind: 'session',
      key: 'a',
      progress: () => ({ cursor, finished: [], inflight: [], released: [] })
    } as const
    disk.touch(consumer)
    cursor = 2
    steps(disk, 2)
    cursor = 3
    disk.touch(consumer)
    await disk.crashes()
    const { sessions } = await disk.open(SILENT)
    expect(sessions.map(({ progress }) => progress.cursor)).toEqual([2])
  })
})

describe('a SimDisk without room', () => {
  test('tells of the commit that failed, tries again by itself, and then what had failed is durable', async () => {
    const { disk, heard, clock } = await opened()
    disk.failsNextCommit()
    disk.putSession(session('a'))
    steps(disk, 2)
    expect([heard, disk.failure?.message]).toEqual([['failed 1: no space left on device'], 'no space left on device'])
    expect(disk.step()).toBe(false)
    disk.putSession(session('b'))
    expect(disk.step()).toBe(false)
    clock.advanceToNext(clock.now() + 100)
    steps(disk, 2)
    expect([heard.at(-1), disk.failure]).toEqual(['committed 2', undefined])
    await disk.crashes()
    expect(clientIds(await disk.open(SILENT))).toEqual(['a', 'b'])
  })

  test('goes on failing until it has room again, and cannot be closed without saying so', async () => {
    const { disk, heard, clock } = await opened()
    disk.runsOutOfRoom()
    disk.putSession(session('a'))
    for (let tries = 0; tries < 3; tries++) {
      steps(disk, 2)
      clock.advanceToNext(clock.now() + 100)
    }
    expect(heard).toHaveLength(3)
    disk.hasRoomAgain()
    steps(disk, 2)
    expect(heard.at(-1)).toBe('committed 4')
    disk.runsOutOfRoom()
    disk.putSession(session('b'))
    await expect(disk.close()).rejects.toThrow('no space left on device')
    expect(clientIds(await disk.open(SILENT))).toEqual(['a'])
  })
})

test('a SimDisk gives back copies: what is changed after it was put is as it was', async () => {
  const { disk } = await opened()
  const queue = disk.openQueue('t')
  const payload = Uint8Array.of(1, 2, 3)
  disk.append({ ...MESSAGE, payload }, [queue])
  payload.fill(9)
  const [entry] = await disk.read([{ queue, after: 0 }], 1)
  expect(entry?.message.payload).toEqual(Uint8Array.of(1, 2, 3))
})

test('commits of a SimDisk that are held are neither written nor synced', async () => {
  const { disk, heard } = await opened()
  disk.putSession(session('a'))
  steps(disk, 1)
  disk.holdsCommits()
  expect(disk.step()).toBe(false)
  disk.releasesCommits()
  steps(disk, 1)
  expect(heard).toEqual(['committed 1'])
})

const SILENT = { onCommitted() {}, onCommitFailed() {} }

const MESSAGE: StoredMessage = {
  topicName: 't',
  payload: new Uint8Array(0),
  qos: 1,
  retain: false,
  properties: NO_PROPERTIES,
  publisherClientId: '',
  publishedAtMs: 0,
  expiresAtMs: Infinity
}

async function opened(options: SimDiskOptions = {}): Promise<{ disk: SimDisk; heard: string[]; clock: SimClock }> {
  const clock = new SimClock()
  const disk = new SimDisk(clock, options)
  const heard: string[] = []
  await disk.open({
    onCommitted: (commit) => heard.push(`committed ${commit}`),
    onCommitFailed: (commit, error) => heard.push(`failed ${commit}: ${error.message}`)
  })
  return { disk, heard, clock }
}

function session(clientId: string): SessionRecord {
  return { clientId, sessionExpiryIntervalSeconds: 1, disconnectedAtMs: 0, listener: '' }
}

function steps(disk: SimDisk, count: number): void {
  for (let left = count; left > 0; left--) expect(disk.step()).toBe(true)
}

function clientIds({ sessions }: StoreContents): string[] {
  return sessions.map((held) => held.session.clientId)
}
