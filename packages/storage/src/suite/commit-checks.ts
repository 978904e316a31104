import { expect } from 'vitest'
import { progressAt } from '../records.ts'
import type { CommitNumber } from '../store.ts'
import type { OpenStore, StoreCheck } from './open-store.ts'
import { message, plain, progress, session, sharedGroup } from './samples.ts'

export const commitChecks: readonly StoreCheck[] = [
  {
    name: 'a change is committed under the number that was gathering when it was made',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      const first = store.gatheringCommit
      store.append(message('t'), [])
      expect(store.gatheringCommit).toBe(first)
      await opened.committed(first)
      expect(opened.commits).toEqual([first])
      expect(store.gatheringCommit).toBe(first + 1)
    }
  },
  {
    name: 'the listener is not called from within a change',
    async run(bench) {
      const opened = await bench.open()
      for (const change of changesThatAlterNothing(opened)) {
        const heard = opened.commits.length
        change()
        expect(opened.commits.length).toBe(heard)
        await opened.allCommitted()
      }
    }
  },
  {
    name: 'commits are told in order, without gaps, whether or not they are waited for',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      const first = store.gatheringCommit
      const joined = new Set<CommitNumber>()
      for (let change = 0; change < 60; change++) {
        joined.add(store.gatheringCommit)
        store.append(message('t'), [])
        if (change % 3 === 0) await opened.allCommitted()
        if (change % 3 === 1) await Promise.resolve()
      }
      await bench.close()
      expect(opened.commits).toEqual(Array.from(opened.commits, (_, index) => first + index))
      expect(new Set(opened.commits)).toEqual(joined)
    }
  },
  {
    name: 'a change that alters nothing is told as well',
    async run(bench) {
      const opened = await bench.open()
      for (const change of changesThatAlterNothing(opened)) {
        const commit = opened.store.gatheringCommit
        change()
        await opened.committed(commit)
      }
    }
  },
  {
    name: 'reading is no change',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      const queue = store.openQueue('a')
      await opened.allCommitted()
      const commit = store.gatheringCommit
      expect(store.openQueue('a')).toBe(queue)
      store.backlog({ queue, after: 0 })
      store.hasRetained('a')
      await store.read([{ queue, after: 0 }], 1)
      await store.readRetained('#', undefined, 1)
      await bench.close()
      expect(opened.commits).not.toContain(commit)
    }
  },
  {
    name: 'a change made while the listener hears of a commit joins a later one',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      const first = store.gatheringCommit
      let second = 0
      opened.onceCommitted(() => {
        second = store.gatheringCommit
        store.append(message('t'), [])
        expect(opened.commits).toEqual([first])
      })
      store.append(message('t'), [])
      await opened.committed(first)
      expect(second).toBe(first + 1)
      await opened.committed(second)
    }
  },
  {
    name: 'close() commits what was gathered and tells the listener before it resolves',
    async run(bench) {
      const opened = await bench.open()
      const commit = opened.store.gatheringCommit
      opened.store.putSession(session('c1'))
      await bench.close()
      expect(opened.commits).toEqual([commit])
      expect((await bench.open()).contents.sessions.length).toBe(1)
    }
  },
  {
    name: 'what the listener changes while close() tells it of a commit is committed as well',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      const commit = store.gatheringCommit
      store.putSession(session('c1'))
      opened.onceCommitted(() => {
        store.putSession(session('c2'))
        store.touch({ kind: 'session', key: 'c2', progress: () => progress(7) })
      })
      await bench.close()
      expect(opened.commits).toEqual([commit, commit + 1])
      const { contents } = await bench.open()
      expect(new Map(contents.sessions.map((held) => [held.session.clientId, held.progress.cursor]))).toEqual(
        new Map([
          ['c1', 0],
          ['c2', 7]
        ])
      )
    }
  },
  {
    name: 'a touched consumer is asked once for each commit, just before it, however often it was touched',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      store.putSession(session('c1'))
      store.putSharedGroup(sharedGroup('$share/g/c1'))
      await opened.allCommitted()

      let cursor = 1
      const consumer = opened.consumer('session', 'c1', () => progressAt(cursor))
      const group = opened.consumer('group', '$share/g/c1', () => progressAt(cursor + 100))
      const heard = opened.journal.length
      const commit = store.gatheringCommit
      store.touch(consumer)
      store.touch(consumer)
      store.touch(group)
      store.touch(consumer)
      expect(opened.journal.length).toBe(heard)
      cursor = 2
      await opened.committed(commit)
      const journal = opened.journal.slice(heard)
      expect(journal.toSorted()).toEqual([`asked group $share/g/c1`, `asked session c1`, `committed ${commit}`])
      expect(journal.at(-1)).toBe(`committed ${commit}`)

      cursor = 3
      store.append(message('t'), [])
      await opened.committed(commit + 1)
      expect(opened.journal.slice(heard + 3)).toEqual([`committed ${commit + 1}`])

      store.touch(consumer)
      await opened.committed(commit + 2)
      expect(opened.journal.slice(heard + 4)).toEqual(['asked session c1', `committed ${commit + 2}`])

      const { contents } = await bench.open()
      expect(contents.sessions.map((held) => held.progress)).toEqual([progressAt(3)])
      expect(contents.sharedGroups.map((held) => held.progress)).toEqual([progressAt(102)])
    }
  },
  {
    name: 'a session and a group with the same key are two consumers',
    async run(bench) {
      const { store } = await bench.open()
      const key = '$share/g/a'
      store.putSession(session(key))
      store.putSharedGroup(sharedGroup(key))
      store.touch({ kind: 'session', key, progress: () => progress(1) })
      store.touch({ kind: 'group', key, progress: () => progress(2) })
      const { contents } = await bench.open()
      expect(plain(contents.sessions.map((held) => held.progress))).toEqual([plain(progress(1))])
      expect(plain(contents.sharedGroups.map((held) => held.progress))).toEqual([plain(progress(2))])
    }
  },
  {
    name: 'a consumer is not asked once its session or group is forgotten',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      store.putSession(session('c1'))
      store.putSharedGroup(sharedGroup('$share/g/a'))
      await opened.allCommitted()
      store.touch(opened.consumer('session', 'c1', () => progress(1)))
      store.touch(opened.consumer('group', '$share/g/a', () => progress(1)))
      store.deleteSession('c1')
      store.deleteSharedGroup('$share/g/a')
      await opened.allCommitted()
      store.touch(opened.consumer('session', 'c1', () => progress(1)))
      store.touch(opened.consumer('group', '$share/g/a', () => progress(1)))
      await opened.allCommitted()
      expect(opened.journal.filter((line) => line.startsWith('asked'))).toEqual([])
      expect((await bench.open()).contents).toEqual({ sessions: [], sharedGroups: [], wills: [], queues: [] })
    }
  },
  {
    name: 'a session that is forgotten and made again in one commit starts afresh, whoever was touched before',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      store.putSession(session('c1'))
      store.touch(opened.consumer('session', 'c1', () => progress(41)))
      await opened.allCommitted()
      store.touch(opened.consumer('session', 'c1', () => progress(42)))
      store.deleteSession('c1')
      store.putSession(session('c1'))
      const { contents } = await bench.open()
      expect(contents.sessions.map((held) => held.progress)).toEqual([progressAt(0)])
    }
  }
]

function changesThatAlterNothing({ store }: OpenStore): (() => void)[] {
  return [
    () => void store.append(message('t'), []),
    () => store.trimQueue(store.openQueue('a'), 0),
    () => store.dropQueue(12_345),
    () => store.deleteSession('nobody'),
    () => store.deleteSubscription('nobody', 'a'),
    () => store.deleteSharedGroup('$share/none/a'),
    () => store.deleteReceived('nobody', 1),
    () => store.deleteInflight('nobody', 1),
    () => store.deleteWill('nobody'),
    () => store.deleteRetained('nothing'),
    () => store.touch({ kind: 'session', key: 'nobody', progress: () => progressAt(0) })
  ]
}
