import { describe, expect, test } from 'vitest'
import { MemoryStore } from './memory-store.ts'
import type { StoreListener } from './store.ts'
import { describeStore } from './store-suite.ts'
import { message, progress, session, subscription } from './suite/samples.ts'

describeStore('MemoryStore', () => {
  const store = new MemoryStore()
  return { store: () => store }
})

describeStore('MemoryStore that commits in a later turn of the event loop', () => {
  const store = new MemoryStore({ schedule: setImmediate })
  return { store: () => store }
})

describe('the schedule of a MemoryStore', () => {
  test('given changes, then one commit is scheduled for all of them, and made when its time has come', async () => {
    const { store, scheduled, commits } = await opened()
    store.append(message('t'), [])
    store.putSession(session('c1'))
    let cursor = 1
    store.touch({ kind: 'session', key: 'c1', progress: () => progress(cursor) })
    cursor = 2
    expect([scheduled.length, commits]).toEqual([1, []])
    scheduled[0]?.()
    expect([scheduled.length, commits]).toEqual([1, [1]])
    await store.close()
    expect((await store.open(listening(commits))).sessions[0]?.progress).toEqual(progress(2))
  })

  test('given no change since the last commit, then none is scheduled and close() makes none', async () => {
    const { store, scheduled, commits } = await opened()
    store.append(message('t'), [])
    scheduled[0]?.()
    await store.close()
    expect([scheduled.length, commits]).toEqual([1, [1]])
  })

  test('given that close() made a commit, when its time comes after opening again, then nothing is committed early', async () => {
    const { store, scheduled, commits } = await opened()
    store.append(message('t'), [])
    await store.close()
    await store.open(listening(commits))
    store.append(message('t'), [])
    scheduled[0]?.()
    expect(commits).toEqual([1])
    scheduled[1]?.()
    expect(commits).toEqual([1, 2])
  })
})

describe('a MemoryStore that is used wrongly says so', () => {
  test('open() while it is open', async () => {
    const { store, commits } = await opened()
    await expect(store.open(listening(commits))).rejects.toThrow('the store is open already')
  })

  test('a change before open() and after close()', async () => {
    const { store } = await opened()
    await store.close()
    expect(() => store.append(message('t'), [])).toThrow('the store is not open')
    expect(() => new MemoryStore().putSession(session('c1'))).toThrow('the store is not open')
  })

  test('what belongs to a session, without the session', async () => {
    const { store } = await opened()
    expect(() => store.putSubscription('c1', subscription('a'))).toThrow('the store holds no session "c1"')
    expect(() => store.putReceived('c1', 1, message('t'))).toThrow('the store holds no session "c1"')
  })
})

test('given many topics that do not match, when retained messages are scanned, then a page ends before it has looked at all', async () => {
  const { store } = await opened()
  for (let device = 0; device < 2_500; device++) store.putRetained(message(`devices/${device}/state`), 1)
  let pages = 0
  for (let after: string | undefined, ended = false; !ended; pages++) {
    const page = store.readRetained('devices/+/alarm', after, 10)
    expect(page.messages).toEqual([])
    after = page.next
    ended = after === undefined
  }
  expect(pages).toBe(3)
})

async function opened(): Promise<{ store: MemoryStore; scheduled: (() => void)[]; commits: number[] }> {
  const scheduled: (() => void)[] = []
  const commits: number[] = []
  const store = new MemoryStore({ schedule: (commit) => void scheduled.push(commit) })
  await store.open(listening(commits))
  return { store, scheduled, commits }
}

function listening(commits: number[]): StoreListener {
  return {
    onCommitted: (commit) => void commits.push(commit),
    onCommitFailed(commit, error) {
      throw new Error(`commit ${commit} failed`, { cause: error })
    }
  }
}
