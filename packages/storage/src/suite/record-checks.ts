import { expect } from 'vitest'
import { progressAt, type ReceivedRecord, type StoreContents, type StoredSession } from '../records.ts'
import type { StoreCheck } from './open-store.ts'
import { fullMessage, inflight, message, plain, progress, session, sharedGroup, sorted, subscription } from './samples.ts'

export const recordChecks: readonly StoreCheck[] = [
  {
    name: 'a new store holds nothing',
    async run(bench) {
      const { store, contents } = await bench.open()
      expect(contents).toEqual({ sessions: [], sharedGroups: [], wills: [], queues: [] })
      expect(store.retainedCount).toBe(0)
      expect((await bench.open()).contents).toEqual({ sessions: [], sharedGroups: [], wills: [], queues: [] })
    }
  },
  {
    name: 'sessions are kept, each with the last record put, and stand at 0 until touched',
    async run(bench) {
      const { store } = await bench.open()
      store.putSession(session('c1', { sessionExpiryIntervalSeconds: 0 }))
      const last = session('c1', {
        sessionExpiryIntervalSeconds: 0xff_ff_ff_fe,
        disconnectedAtMs: 1_700_000_000_000,
        listener: 'tls/ü'
      })
      store.putSession(last)
      store.putSession(session('ü/#/\u{1F600}'))
      const { contents } = await bench.open()
      expect(sessions(contents)).toEqual([plain(held('c1', { session: last })), plain(held('ü/#/\u{1F600}'))])
    }
  },
  {
    name: 'putting a session again keeps what belongs to it',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      store.putSession(session('c1'))
      store.putSubscription('c1', subscription('a'))
      store.putReceived('c1', 7, message('t'))
      store.putInflight('c1', 7, message('in flight'))
      store.touch({ kind: 'session', key: 'c1', progress: () => progress(9) })
      await opened.allCommitted()
      store.putSession(session('c1', { disconnectedAtMs: 5 }))
      const { contents } = await bench.open()
      expect(sessions(contents)).toEqual([
        plain({
          session: session('c1', { disconnectedAtMs: 5 }),
          subscriptions: [subscription('a')],
          progress: progress(9),
          received: [{ packetIdentifier: 7, message: message('t') }],
          inflightMessages: [{ packetIdentifier: 7, message: message('in flight') }]
        })
      ])
    }
  },
  {
    name: 'subscriptions are kept with all their options; the same topic filter is replaced, others stay',
    async run(bench) {
      const { store } = await bench.open()
      store.putSession(session('c1'))
      store.putSession(session('c2'))
      store.putSubscription('c1', subscription('a/+', { qos: 2, since: 4 }))
      store.putSubscription('c1', subscription('b/#', { qos: 0, noLocal: true, retainHandling: 2 }))
      store.putSubscription('c1', subscription('$share/g/b/#', { since: Number.MAX_SAFE_INTEGER }))
      store.putSubscription('c2', subscription('a/+', { retainAsPublished: true, retainHandling: 1 }))
      const replacing = subscription('a/+', {
        qos: 1,
        subscriptionIdentifier: 268_435_455,
        since: 4,
        retainedScan: { upTo: 17, after: undefined },
        skipped: [
          { after: 4, through: 9 },
          { after: 12, through: Number.MAX_SAFE_INTEGER }
        ],
        replay: { historyFilter: 'a/#', after: 3 }
      })
      store.putSubscription('c1', replacing)
      const scanning = subscription('c', { retainedScan: { upTo: 18, after: 'ü/1' }, skipped: [{ after: 0, through: 1 }] })
      store.putSubscription('c1', scanning)
      const leaving = subscription('d', {
        qos: 0,
        leaving: {
          qos: 2,
          noLocal: true,
          retainAsPublished: true,
          retainHandling: 2,
          subscriptionIdentifier: 268_435_455,
          since: 5,
          until: Number.MAX_SAFE_INTEGER
        }
      })
      store.putSubscription('c1', leaving)

      const { store: again, contents } = await bench.open()
      expect(subscriptionsOf(contents, 'c1')).toEqual([
        plain(subscription('$share/g/b/#', { since: Number.MAX_SAFE_INTEGER })),
        plain(replacing),
        plain(subscription('b/#', { qos: 0, noLocal: true, retainHandling: 2 })),
        plain(scanning),
        plain(leaving)
      ])
      expect(subscriptionsOf(contents, 'c2')).toEqual([
        plain(subscription('a/+', { retainAsPublished: true, retainHandling: 1 }))
      ])

      again.deleteSubscription('c1', 'a/+')
      again.deleteSubscription('c1', 'b/#')
      again.deleteSubscription('c1', 'never/subscribed')
      again.putSubscription('c1', subscription('b/#', { since: 99 }))
      const { contents: later } = await bench.open()
      expect(subscriptionsOf(later, 'c1')).toEqual([
        plain(subscription('$share/g/b/#', { since: Number.MAX_SAFE_INTEGER })),
        plain(subscription('b/#', { since: 99 })),
        plain(scanning),
        plain(leaving)
      ])
      expect(subscriptionsOf(later, 'c2').length).toBe(1)
    }
  },
  {
    name: 'progress is kept in full, and in order',
    async run(bench) {
      const { store } = await bench.open()
      const full = progress(Number.MAX_SAFE_INTEGER - 1_000, {
        finished: Array.from({ length: 500 }, (_, index) => Number.MAX_SAFE_INTEGER - 999 + index),
        inflight: [
          inflight(65_535, 12),
          inflight(1, 11, { qos: 2, subscriptionIdentifiers: [1, 268_435_455] }),
          inflight(2, 0, { retain: true }),
          inflight(3, 41, { qos: 2, group: '$share/g/shared' })
        ],
        released: [9, 65_535, 1, 300]
      })
      store.putSession(session('c1'))
      store.putSession(session('c2'))
      store.touch({ kind: 'session', key: 'c1', progress: () => full })
      const { store: again, contents } = await bench.open()
      expect(sessions(contents)).toEqual([plain(held('c1', { progress: full })), plain(held('c2'))])

      again.touch({ kind: 'session', key: 'c1', progress: () => progress(50) })
      expect(sessions((await bench.open()).contents)).toEqual([plain(held('c1', { progress: progress(50) })), plain(held('c2'))])
    }
  },
  {
    name: 'received identifiers are kept in the order put, with their messages',
    async run(bench) {
      const { store } = await bench.open()
      store.putSession(session('c1'))
      store.putSession(session('c2'))
      const identifiers = [500, 3, 65_535, 1, 256, 255, 2]
      for (const packetIdentifier of identifiers) store.putReceived('c1', packetIdentifier, message(`t/${packetIdentifier}`))
      store.putReceived('c2', 3, fullMessage('ü'))
      store.deleteReceived('c1', 1)
      store.deleteReceived('c1', 77)
      store.deleteReceived('c1', 256)
      store.putReceived('c1', 256, message('again'))
      store.putReceived('c1', 3, message('replaced'))

      const { store: again, contents } = await bench.open()
      expect(receivedOf(contents, 'c1')).toEqual([
        [500, plain(message('t/500'))],
        [65_535, plain(message('t/65535'))],
        [255, plain(message('t/255'))],
        [2, plain(message('t/2'))],
        [256, plain(message('again'))],
        [3, plain(message('replaced'))]
      ])
      expect(receivedOf(contents, 'c2')).toEqual([[3, plain(fullMessage('ü'))]])

      again.deleteReceived('c1', 500)
      again.putReceived('c1', 1, message('later'))
      const { contents: later } = await bench.open()
      expect(receivedOf(later, 'c1').map(([packetIdentifier]) => packetIdentifier)).toEqual([65_535, 255, 2, 256, 3, 1])
    }
  },
  {
    name: 'messages in flight are kept under their packet identifiers until they are deleted',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      store.putSession(session('c1'))
      store.putSession(session('c2'))
      const identifiers = [65_535, 1, 256, 2]
      for (const packetIdentifier of identifiers) store.putInflight('c1', packetIdentifier, message(`t/${packetIdentifier}`))
      store.putInflight('c2', 1, fullMessage('ü'))
      store.putInflight('c1', 2, message('replaced'))
      store.putInflight('c1', 3, message('not for long'))
      store.deleteInflight('c1', 3)
      await opened.allCommitted()
      store.deleteInflight('c1', 1)
      store.deleteInflight('c1', 77)
      store.deleteInflight('c1', 256)
      store.putInflight('c1', 256, message('another'))
      store.putInflight('c1', 65_535, message('not for long'))
      store.deleteInflight('c1', 65_535)
      const { store: again, contents } = await bench.open()
      expect(inflightOf(contents, 'c1')).toEqual([
        [2, plain(message('replaced'))],
        [256, plain(message('another'))]
      ])
      expect(inflightOf(contents, 'c2')).toEqual([[1, plain(fullMessage('ü'))]])
      again.deleteInflight('c1', 2)
      again.deleteSession('c2')
      again.putSession(session('c2'))
      const { contents: later } = await bench.open()
      expect(inflightOf(later, 'c1')).toEqual([[256, plain(message('another'))]])
      expect(inflightOf(later, 'c2')).toEqual([])
    }
  },
  {
    name: 'forgetting a session forgets all that belongs to it, and nothing of another',
    async run(bench) {
      const { store } = await bench.open()
      // Each ClientID begins with another, so that forgetting by a prefix shows.
      const clientIds = ['c', 'c1', 'c1/a', 'c10', '']
      for (const clientId of clientIds) {
        store.putSession(session(clientId))
        store.putSubscription(clientId, subscription('a'))
        store.putReceived(clientId, 1, message('t'))
        store.putInflight(clientId, 2, message('in flight'))
        store.touch({ kind: 'session', key: clientId, progress: () => progress(6) })
        store.putWill({ clientId, message: message('will'), delayIntervalSeconds: 0, dueSinceMs: 0 })
      }
      const { store: again } = await bench.open()
      again.deleteSession('c1')
      again.deleteSession('c1')
      const { store: third, contents } = await bench.open()
      const whole = (clientId: string): unknown =>
        plain({
          session: session(clientId),
          subscriptions: [subscription('a')],
          progress: progress(6),
          received: [{ packetIdentifier: 1, message: message('t') }],
          inflightMessages: [{ packetIdentifier: 2, message: message('in flight') }]
        })
      expect(sessions(contents)).toEqual(['', 'c', 'c1/a', 'c10'].map(whole))
      expect(contents.wills.length).toBe(clientIds.length)

      third.putSession(session('c1'))
      expect(sessions((await bench.open()).contents)).toEqual([
        whole(''),
        whole('c'),
        plain(held('c1')),
        whole('c1/a'),
        whole('c10')
      ])
    }
  },
  {
    name: "shared subscriptions' groups are kept with their progress until they are forgotten",
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      store.putSharedGroup(sharedGroup('$share/g/a', { since: 3 }))
      store.putSharedGroup(sharedGroup('$share/g/a/b', { since: 4 }))
      const skipping = sharedGroup('$share/h/a', { since: 5, skipped: [{ after: 6, through: 8 }] })
      store.putSharedGroup(skipping)
      const full = progress(8, { finished: [10, 12] })
      store.touch({ kind: 'group', key: '$share/g/a', progress: () => full })
      store.touch({ kind: 'group', key: '$share/h/a', progress: () => full })
      await opened.allCommitted()
      store.putSharedGroup(sharedGroup('$share/g/a', { since: 6 }))
      const { store: again, contents } = await bench.open()
      expect(groups(contents)).toEqual([
        plain({ group: sharedGroup('$share/g/a', { since: 6 }), progress: full }),
        plain({ group: sharedGroup('$share/g/a/b', { since: 4 }), progress: progressAt(0) }),
        plain({ group: skipping, progress: full })
      ])

      again.deleteSharedGroup('$share/g/a')
      again.deleteSharedGroup('$share/h/a')
      again.putSharedGroup(sharedGroup('$share/h/a', { since: 7 }))
      expect(groups((await bench.open()).contents)).toEqual([
        plain({ group: sharedGroup('$share/g/a/b', { since: 4 }), progress: progressAt(0) }),
        plain({ group: sharedGroup('$share/h/a', { since: 7 }), progress: progressAt(0) })
      ])
    }
  },
  {
    name: 'wills are kept, one for each ClientID, with or without a session',
    async run(bench) {
      const { store } = await bench.open()
      const will = { clientId: 'c1', message: fullMessage('will/ü'), delayIntervalSeconds: 0xff_ff_ff_ff, dueSinceMs: 0 }
      store.putSession(session('c1'))
      store.putWill({ ...will, message: message('replaced') })
      store.putWill(will)
      store.putWill({ clientId: 'c2', message: message('will', ''), delayIntervalSeconds: 0, dueSinceMs: 1_700_000_000_000 })
      store.putWill({ clientId: 'c3', message: message('will'), delayIntervalSeconds: 5, dueSinceMs: 0 })
      store.deleteWill('c3')
      const { store: again, contents } = await bench.open()
      expect(wills(contents)).toEqual([
        plain(will),
        plain({ clientId: 'c2', message: message('will', ''), delayIntervalSeconds: 0, dueSinceMs: 1_700_000_000_000 })
      ])
      again.deleteSession('c1')
      again.deleteWill('c2')
      expect(wills((await bench.open()).contents)).toEqual([plain(will)])
    }
  },
  {
    name: 'queues are told of until they are dropped',
    async run(bench) {
      const { store } = await bench.open()
      const [a, b, c] = [store.openQueue('a/#'), store.openQueue('b/+'), store.openQueue('ü')]
      store.append(message('a'), [a, b, c])
      store.dropQueue(b)
      const { store: again, contents } = await bench.open()
      const left = [
        { queue: a, topicFilter: 'a/#' },
        { queue: c, topicFilter: 'ü' }
      ]
      expect(sorted(contents.queues, ({ topicFilter }) => topicFilter)).toEqual(left)
      again.dropQueue(a)
      expect((await bench.open()).contents.queues).toEqual(left.slice(1))
    }
  },
  {
    name: 'nothing is lost when the store is opened and closed without a change',
    async run(bench) {
      const { store } = await bench.open()
      store.putSession(session('c1'))
      store.putSharedGroup(sharedGroup('$share/g/a', { since: 3 }))
      store.putRetained(message('a', 'x'), store.append(message('a'), [store.openQueue('a')]))
      for (let opening = 0; opening < 3; opening++) {
        const { store: again, contents } = await bench.open()
        expect(sessions(contents)).toEqual([plain(held('c1'))])
        expect(contents.sharedGroups.length).toBe(1)
        expect(again.retainedCount).toBe(1)
        expect(again.backlog({ queue: again.openQueue('a'), after: 0 })).toEqual({ messages: 1, bytes: 1 })
      }
    }
  }
]

function held(clientId: string, rest: Partial<StoredSession> = {}): StoredSession {
  return { session: session(clientId), subscriptions: [], progress: progressAt(0), received: [], inflightMessages: [], ...rest }
}

function sessions(contents: StoreContents): unknown {
  return sorted(contents.sessions, (stored) => stored.session.clientId)
}

function groups(contents: StoreContents): unknown {
  return sorted(contents.sharedGroups, (stored) => stored.group.filter)
}

function wills(contents: StoreContents): unknown {
  return sorted(contents.wills, (will) => will.clientId)
}

function sessionOf(contents: StoreContents, clientId: string): StoredSession | undefined {
  return contents.sessions.find((stored) => stored.session.clientId === clientId)
}

function subscriptionsOf(contents: StoreContents, clientId: string): readonly unknown[] {
  const subscriptions = sessionOf(contents, clientId)?.subscriptions ?? []
  return subscriptions.toSorted((a, b) => (a.topicFilter < b.topicFilter ? -1 : 1)).map(plain)
}

function receivedOf(contents: StoreContents, clientId: string): readonly IdentifiedMessage[] {
  return (sessionOf(contents, clientId)?.received ?? []).map(identified)
}

function inflightOf(contents: StoreContents, clientId: string): readonly IdentifiedMessage[] {
  const messages = sessionOf(contents, clientId)?.inflightMessages ?? []
  return messages.toSorted((a, b) => a.packetIdentifier - b.packetIdentifier).map(identified)
}

type IdentifiedMessage = readonly [packetIdentifier: number, message: unknown]

function identified({ packetIdentifier, message }: ReceivedRecord): IdentifiedMessage {
  return [packetIdentifier, plain(message)]
}
