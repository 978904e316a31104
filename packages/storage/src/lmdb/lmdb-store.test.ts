import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { describeStore } from '../store-suite.ts'
import { message, plain, progress, session, sharedGroup, subscription } from '../suite/samples.ts'
import { LmdbStore } from './lmdb-store.ts'
import { benchIn, countsIn, temporaryFolder } from './testing/temporary-store.ts'

// A history opens the store several times, each time with a thread of its own: few of them are many openings.
describeStore(
  'LmdbStore',
  () => {
    const path = mkdtempSync(join(tmpdir(), 'godwit-store-'))
    return {
      store: () => new LmdbStore({ path }),
      remove: () => rmSync(path, { recursive: true, force: true })
    }
  },
  { runs: 8 }
)

describe('a commit in flight', () => {
  test('given one commit in flight and another being gathered, then reads see disk, flight and gathering as one', async () => {
    const opened = await benchIn(temporaryFolder()).open()
    const { store } = opened
    const [a, b] = [store.openQueue('a'), store.openQueue('b')]
    const stored = store.append(message('t', 'stored'), [a, b])
    await opened.allCommitted()
    const flying = store.append(message('t', 'flying'), [a])
    store.putRetained(message('r/1', 'flying'), flying)
    store.putRetained(message('r/2', 'flying'), flying)
    store.hasten()
    await turn()
    const heard = opened.commits.length
    const gathered = store.append(message('t', 'gathered'), [b, a])
    store.putRetained(message('r/1', 'gathered'), gathered)
    store.deleteRetained('r/2')
    store.putRetained(message('r/0', 'gathered'), gathered)

    const positions = [
      { queue: a, after: 0 },
      { queue: b, after: 0 }
    ]
    expect(store.read(positions, 10)).toMatchObject([{ sequence: stored }, { sequence: flying }, { sequence: gathered }])
    expect(store.read(positions, 2)).toMatchObject([{ sequence: stored }, { sequence: flying }])
    expect(store.read([{ queue: b, after: stored }], 10)).toMatchObject([{ sequence: gathered }])
    expect(store.backlog({ queue: a, after: 0 }).messages).toBe(3)
    expect(store.backlog({ queue: a, after: stored })).toEqual({ messages: 2, bytes: 'tflyingtgathered'.length })
    expect([store.hasRetained('r/1'), store.hasRetained('r/2'), store.retainedCount]).toEqual([true, false, 2])
    const scan = (await opened.scanRetained('r/+', 1)).map((retained) => [retained.message.topicName, retained.sequence])
    expect(scan).toEqual([
      ['r/0', gathered],
      ['r/1', gathered]
    ])
    expect(opened.commits.length).toBe(heard)

    store.trimQueue(a, flying)
    expect(store.read(positions, 10)).toMatchObject([{ sequence: stored }, { sequence: gathered }])
    await opened.allCommitted()
    expect(store.read(positions, 10)).toMatchObject([{ sequence: stored }, { sequence: gathered }])
    expect(store.read([{ queue: a, after: 0 }], 10)).toMatchObject([{ sequence: gathered }])
  })

  test('given changes while a commit is in flight, then they are the next, which begins before anyone is told', async () => {
    const opened = await benchIn(temporaryFolder()).open()
    const { store } = opened
    const first = store.gatheringCommit
    store.putSession(session('c1'))
    store.hasten()
    await turn()
    expect([store.gatheringCommit, opened.commits]).toEqual([first + 1, []])
    store.putSession(session('c2'))
    store.putSession(session('c3'))
    let gatheringWhenTold = 0
    opened.onceCommitted(() => (gatheringWhenTold = store.gatheringCommit))
    await opened.committed(first + 1)
    expect([gatheringWhenTold, opened.commits]).toEqual([first + 2, [first, first + 1]])
  })
})

describe('what no longer matters when its commit begins', () => {
  test('given appends that all their queues are cut past, then they are acknowledged and the file is not touched', async () => {
    const path = temporaryFolder()
    const opened = await benchIn(path).open()
    const { store } = opened
    const [a, b] = [store.openQueue('a'), store.openQueue('b')]
    store.append(message('t'), [])
    await opened.allCommitted()
    const before = readFileSync(join(path, 'data.mdb'))
    for (let round = 0; round < 50; round++) {
      const sequence = store.append(message('t', 'x'.repeat(1_000)), round % 2 === 0 ? [a] : [a, b])
      store.append(message('nobody'), [])
      store.trimQueue(a, sequence)
      store.trimQueue(b, sequence)
      await opened.allCommitted()
    }
    expect(readFileSync(join(path, 'data.mdb')).equals(before)).toBe(true)
  })

  test('given consumers that finish all that comes before its commit begins, then the file is not touched, until one does not', async () => {
    const path = temporaryFolder()
    const bench = benchIn(path)
    const opened = await bench.open()
    const { store } = opened
    const queue = store.openQueue('a')
    store.putSession(session('c'))
    store.putSharedGroup(sharedGroup('$share/g/a'))
    const consumers = [
      opened.consumer('session', 'c', () => progress(store.lastSequence)),
      opened.consumer('group', '$share/g/a', () => progress(store.lastSequence))
    ]
    const round = async (): Promise<void> => {
      store.append(message('a'), [queue])
      for (const consumer of consumers) store.touch(consumer)
      await opened.allCommitted()
    }
    await round()
    store.trimQueue(queue, store.lastSequence)
    await opened.allCommitted()
    const before = readFileSync(join(path, 'data.mdb'))
    for (let rounds = 0; rounds < 20; rounds++) {
      store.trimQueue(queue, store.append(message('a'), [queue]))
      for (const consumer of consumers) store.touch(consumer)
      await opened.allCommitted()
    }
    expect(readFileSync(join(path, 'data.mdb')).equals(before)).toBe(true)
    expect(opened.journal.filter((line) => line === 'asked session c')).toHaveLength(21)

    await round()
    const { lastSequence } = store
    await round()
    const { contents } = await bench.open()
    expect(contents.sessions.map((held) => held.progress)).toEqual([progress(lastSequence + 1)])
    expect(contents.sharedGroups.map((held) => held.progress)).toEqual([progress(lastSequence + 1)])
  })

  test('given messages in flight that are finished before their commit begins, then the file is not touched', async () => {
    const path = temporaryFolder()
    const opened = await benchIn(path).open()
    const { store } = opened
    store.putSession(session('c'))
    await opened.allCommitted()
    const before = readFileSync(join(path, 'data.mdb'))
    for (let packetIdentifier = 1; packetIdentifier <= 20; packetIdentifier++) {
      store.putInflight('c', packetIdentifier, message('t'))
      store.deleteInflight('c', packetIdentifier)
      await opened.allCommitted()
    }
    expect(readFileSync(join(path, 'data.mdb')).equals(before)).toBe(true)
  })

  test('given an append that one of two queues is cut past, then its body is kept for the other alone', async () => {
    const path = temporaryFolder()
    const bench = benchIn(path)
    const { store } = await bench.open()
    const [a, b] = [store.openQueue('a'), store.openQueue('b')]
    const sequence = store.append(message('t'), [a, b])
    store.trimQueue(a, sequence)
    store.trimQueue(a, store.append(message('t'), [a]))
    await bench.close()
    expect(await countsIn(path)).toEqual({ bodies: 1, entries: 1, cuts: 0 })
    const { store: again } = await bench.open()
    expect(again.read([{ queue: b, after: 0 }], 10)).toMatchObject([{ sequence, queues: [a, b] }])
    again.trimQueue(b, sequence)
    await bench.close()
    expect(await countsIn(path)).toEqual({ bodies: 0, entries: 0, cuts: 0 })
  })
})

describe('cutting long queues', () => {
  const LONG = 30_000

  test('given a cut of more than one merge removes, then it goes on after a restart, and nobody sees what was cut', async () => {
    const path = temporaryFolder()
    const bench = benchIn(path)
    const opened = await bench.open()
    const [a, b] = [opened.store.openQueue('a'), opened.store.openQueue('b')]
    // None is in a run, since every other one is in both.
    for (let count = 0; count < LONG; count++) opened.store.append(message('t'), count % 2 === 0 ? [a, b] : [a])
    await opened.allCommitted()
    const last = opened.store.lastSequence
    opened.store.trimQueue(a, last - 10)
    await bench.close()
    const left = await countsIn(path)
    expect(left.cuts).toBe(1)
    expect(left.entries).toBeGreaterThan(LONG / 2 + 10)

    const again = await bench.open()
    expect(again.store.backlog({ queue: a, after: 0 }).messages).toBe(10)
    expect(again.store.storedBytes).toBe(10 + LONG / 2)
    expect((await again.readAll([{ queue: a, after: 0 }])).length).toBe(10)
    // It goes on by itself.
    await expect.poll(async () => (await countsIn(path)).cuts).toBe(0)
    expect((await again.readAll([{ queue: b, after: 0 }], 1_000)).length).toBe(LONG / 2)
    await bench.close()
    expect(await countsIn(path)).toEqual({ bodies: LONG / 2 + 5, entries: LONG / 2 + 10, cuts: 0 })
  })

  test('given a long queue that is dropped and a restart, then its messages go all the same, and their room is used again', async () => {
    const path = temporaryFolder()
    const bench = benchIn(path)
    let opened = await bench.open()
    const fill = async (filter: string): Promise<number> => {
      const queue = opened.store.openQueue(filter)
      for (let count = 0; count < LONG; count++) opened.store.append(message('t', 'x'.repeat(200)), [queue])
      await opened.allCommitted()
      return readFileSync(join(path, 'data.mdb')).length
    }
    const size = await fill('a')
    opened.store.dropQueue(opened.store.openQueue('a'))
    opened = await bench.open()
    await expect.poll(async () => (await countsIn(path)).cuts).toBe(0)
    expect(await fill('b')).toBeLessThan(size * 1.2)
    await bench.close()
    expect(await countsIn(path)).toEqual({ bodies: LONG, entries: LONG, cuts: 0 })
  })
})

describe('names longer than a key', () => {
  const long = 'l/'.repeat(20_000)

  test('given topics that begin alike beyond the length of a key, then each is found, replaced, scanned and forgotten', async () => {
    const bench = benchIn(temporaryFolder())
    let opened = await bench.open()
    const topics = ['1', '2', '3', '2/x'].map((end) => `${long}${end}`)
    for (const topic of [...topics, 'l', 'l/l', 'm']) opened.store.putRetained(message(topic, 'old'), 1)
    for (const topic of topics) opened.store.putRetained(message(topic, 'new'), 2)
    for (let opening = 0; opening < 2; opening++) {
      const found = async (filter: string): Promise<string[]> =>
        (await opened.scanRetained(filter, 1)).map(
          ({ message, sequence }) => `${message.topicName.replace(long, '…')} ${sequence}`
        )
      expect((await found(`${long}+`)).toSorted()).toEqual(['…1 2', '…2 2', '…3 2'])
      expect((await found(`${long}2/#`)).toSorted()).toEqual(['…2 2', '…2/x 2'])
      expect((await found('l/#')).toSorted()).toEqual(['l 1', 'l/l 1', '…1 2', '…2 2', '…2/x 2', '…3 2'])
      opened = await bench.open()
    }
    opened.store.deleteRetained(topics[1] ?? '')
    expect((await opened.scanRetained(`${long}#`, 2)).length).toBe(3)
    expect(opened.store.retainedCount).toBe(6)
  })

  test('given a ClientID and topic filters of 65,535 bytes, then the session is kept whole', async () => {
    const bench = benchIn(temporaryFolder())
    const clientId = 'ü'.repeat(32_767)
    const { store } = await bench.open()
    store.putSession(session(clientId))
    store.putSubscription(clientId, subscription(`${long}1`))
    store.putSubscription(clientId, subscription(`${long}2`))
    store.deleteSubscription(clientId, `${long}1`)
    store.putWill({ clientId, message: message('w'), delayIntervalSeconds: 0, dueSinceMs: 0 })
    store.touch({ kind: 'session', key: clientId, progress: () => progress(7) })
    const { contents } = await bench.open()
    expect(contents.sessions.map((held) => [held.session.clientId === clientId, plain(held.progress)])).toEqual([
      [true, plain(progress(7))]
    ])
    expect(contents.sessions[0]?.subscriptions).toEqual([subscription(`${long}2`)])
    expect(contents.wills.length).toBe(1)
  })
})

describe('a store that was not closed', () => {
  /** A folder as a process leaves it that is killed. */
  function leftBehind(path: string): string {
    const copy = join(temporaryFolder(), 'copy')
    cpSync(path, copy, { recursive: true, filter: (file) => !file.endsWith('.lock') })
    return copy
  }

  test('given sequence numbers that were given, then none of them is given again', async () => {
    const path = temporaryFolder()
    const opened = await benchIn(path).open()
    for (let count = 0; count < 70_000; count++) opened.store.append(message('nobody'), [])
    await opened.allCommitted()
    const { store } = await benchIn(leftBehind(path)).open()
    expect(store.lastSequence).toBeGreaterThanOrEqual(opened.store.lastSequence)
  })

  test('given all that a journal can hold, then it is there, and a queue that was dropped is not, nor its messages', async () => {
    const path = temporaryFolder()
    const first = benchIn(path)
    const before = await first.open()
    const [kept, dropped] = [before.store.openQueue('kept'), before.store.openQueue('dropped')]
    for (let count = 0; count < 10; count++) before.store.append(message('t', `${count}`), [kept, dropped])
    before.store.putRetained(message('r/1', 'old'), 1)
    before.store.putRetained(message('r/2', 'old'), 2)
    before.store.putSession(session('gone'))
    before.store.putReceived('gone', 1, message('t'))

    const opened = await first.open()
    const { store } = opened
    store.dropQueue(dropped)
    store.deleteSession('gone')
    store.putSession(session('come'))
    store.touch({ kind: 'session', key: 'come', progress: () => progress(5) })
    await opened.allCommitted()
    store.putRetained(message('r/1', 'new'), 3)
    store.deleteRetained('r/2')
    const last = store.append(message('t', 'last'), [kept])
    await opened.allCommitted()

    const copy = leftBehind(path)
    const bench = benchIn(copy)
    const again = await bench.open()
    expect(again.contents.queues).toEqual([{ queue: kept, topicFilter: 'kept' }])
    expect(again.contents.sessions.map((held) => [held.session.clientId, held.progress.cursor])).toEqual([['come', 5]])
    expect((await again.scanRetained('#')).map(({ message: held }) => held.payload.toString())).toEqual(['new'])
    const entries = await again.readAll([{ queue: kept, after: 0 }])
    expect([entries.length, entries.at(-1)?.sequence]).toEqual([11, last])
    expect(again.store.backlog({ queue: kept, after: 0 }).messages).toBe(11)
    await expect.poll(async () => (await countsIn(copy)).cuts).toBe(0)
    await bench.close()
    expect(await countsIn(copy)).toEqual({ bodies: 11, entries: 11, cuts: 0 })
    expect(readdirSync(copy).filter((name) => name.startsWith('journal'))).toEqual([])
  })

  test('given more than is merged at a time, again and again, then every opening finds what the one before had', async () => {
    let path = temporaryFolder()
    let last = 0
    for (let opening = 0; opening < 4; opening++) {
      const opened = await benchIn(path).open()
      const queue = opened.store.openQueue('#')
      expect((await opened.readAll([{ queue, after: 0 }])).at(-1)?.sequence ?? 0).toBe(last)
      for (let commit = 0; commit < 20; commit++) {
        for (let count = 0; count < 20; count++) last = opened.store.append(message('t', 'x'.repeat(1_000)), [queue])
        await opened.allCommitted()
      }
      path = leftBehind(path)
    }
  })
})

/** Lets the turn of the event loop end, and with it what was scheduled for its end. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
