import { expect } from 'vitest'
import type { RetainedMessage, Store } from '../store.ts'
import type { StoreCheck } from './open-store.ts'
import { fullMessage, message, plain } from './samples.ts'

const TOPICS: readonly string[] = [
  '/',
  '//',
  '/finance',
  '$SYS',
  '$SYS/broker/uptime',
  '$SYS/broker',
  '$other/a',
  'a',
  'a ',
  'a/',
  'a//b',
  'a/b',
  'a/b/c',
  'a/$b',
  'sport',
  'sport!',
  'sport/',
  'sport/tennis',
  'sport/tennis/player1',
  'sport/tennis/player1/ranking',
  'sport/tennis/player2',
  'sport0',
  'sports',
  'ü/\uE000',
  'ü/\u{1F600}',
  'ü/\uFFFD'
]

/** By [5.0 4.7.1] and [5.0 4.7.2]. */
const MATCHES: readonly (readonly [topicFilter: string, topicNames: readonly string[]])[] = [
  ['#', TOPICS.filter((topicName) => !topicName.startsWith('$'))],
  ['+', ['a', 'a ', 'sport', 'sport!', 'sport0', 'sports']],
  ['/', ['/']],
  ['/+', ['/', '/finance']],
  ['+/+', ['/', '/finance', 'a/', 'a/b', 'a/$b', 'sport/', 'sport/tennis', 'ü/\uE000', 'ü/\u{1F600}', 'ü/\uFFFD']],
  ['+/+/+', ['//', 'a//b', 'a/b/c', 'sport/tennis/player1', 'sport/tennis/player2']],
  ['/#', ['/', '//', '/finance']],
  ['+/#', TOPICS.filter((topicName) => !topicName.startsWith('$'))],
  ['+/b/#', ['a/b', 'a/b/c']],
  ['+/$b', ['a/$b']],
  ['a', ['a']],
  ['A', []],
  ['a/b', ['a/b']],
  ['a/+', ['a/', 'a/b', 'a/$b']],
  ['a/+/b', ['a//b']],
  ['a/+/c', ['a/b/c']],
  ['a/#', ['a', 'a/', 'a//b', 'a/b', 'a/b/c', 'a/$b']],
  ['a//#', ['a/', 'a//b']],
  ['none', []],
  ['none/#', []],
  [
    'sport/#',
    ['sport', 'sport/', 'sport/tennis', 'sport/tennis/player1', 'sport/tennis/player1/ranking', 'sport/tennis/player2']
  ],
  ['sport/+', ['sport/', 'sport/tennis']],
  ['sport/tennis/+', ['sport/tennis/player1', 'sport/tennis/player2']],
  ['sport/+/player1/#', ['sport/tennis/player1', 'sport/tennis/player1/ranking']],
  ['sport/+/#', ['sport/', 'sport/tennis', 'sport/tennis/player1', 'sport/tennis/player1/ranking', 'sport/tennis/player2']],
  ['$SYS/#', ['$SYS', '$SYS/broker', '$SYS/broker/uptime']],
  ['$SYS/+', ['$SYS/broker']],
  ['$SYS', ['$SYS']],
  ['$other/+', ['$other/a']],
  ['ü/+', ['ü/\uE000', 'ü/\u{1F600}', 'ü/\uFFFD']],
  ['ü/\u{1F600}', ['ü/\u{1F600}']]
]

export const retainedChecks: readonly StoreCheck[] = [
  {
    name: '[5.0 MQTT-4.7.2-1] a scan finds the topics that its filter matches, for every shape of filter and size of page',
    async run(bench) {
      const opened = await bench.open()
      for (const topicName of TOPICS) retain(opened.store, topicName)
      for (const [topicFilter, expected] of MATCHES) {
        for (const limit of [1, 2, 5, 1_000]) {
          const found = (await opened.scanRetained(topicFilter, limit)).map(topicOf)
          expect([topicFilter, found.toSorted()]).toEqual([topicFilter, expected.toSorted()])
        }
      }
    }
  },
  {
    name: 'a retained message is found at once and kept, as it was given, under its sequence number',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      const given = fullMessage('ü/1')
      store.putRetained(given, 77)
      const expected = [plain({ sequence: 77, message: given })]
      expect((await opened.scanRetained('ü/1')).map(plain)).toEqual(expected)
      expect((await opened.scanRetained('ü/+')).map(plain)).toEqual(expected)
      expect((await (await bench.open()).scanRetained('#')).map(plain)).toEqual(expected)
    }
  },
  {
    name: '[5.0 MQTT-3.3.1-5] a later retained message replaces the one before; forgetting leaves none',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      store.putRetained(message('a', 'first'), 1)
      store.putRetained(message('a/b', 'other'), 2)
      store.putRetained(message('a', 'second'), 3)
      expect(store.retainedCount).toBe(2)
      expect((await opened.scanRetained('a')).map(plain)).toEqual([plain({ sequence: 3, message: message('a', 'second') })])
      expect((await opened.scanRetained('+')).map(plain)).toEqual([plain({ sequence: 3, message: message('a', 'second') })])
      expect([store.hasRetained('a'), store.hasRetained('a/b'), store.hasRetained('a/')]).toEqual([true, true, false])

      store.deleteRetained('a')
      store.deleteRetained('a')
      store.deleteRetained('a/')
      expect(store.retainedCount).toBe(1)
      expect([store.hasRetained('a'), store.hasRetained('a/b')]).toEqual([false, true])
      expect((await opened.scanRetained('#')).map(topicOf)).toEqual(['a/b'])

      const { store: again } = await bench.open()
      expect(again.retainedCount).toBe(1)
      expect([again.hasRetained('a'), again.hasRetained('a/b')]).toEqual([false, true])
      again.putRetained(message('a', 'third'), 4)
      again.deleteRetained('a/b')
      expect(again.retainedCount).toBe(1)
      const third = await bench.open()
      expect((await third.scanRetained('#')).map(plain)).toEqual([plain({ sequence: 4, message: message('a', 'third') })])
    }
  },
  {
    name: 'a scan comes to its end over many topics, few of which match',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      for (let device = 0; device < 3_000; device++) {
        retain(store, `devices/${device}/${device % 1_000 === 999 ? 'alarm' : 'state'}`)
      }
      const alarms = ['devices/1999/alarm', 'devices/2999/alarm', 'devices/999/alarm']
      expect((await opened.scanRetained('devices/+/alarm')).map(topicOf).toSorted()).toEqual(alarms)
      expect((await opened.scanRetained('+/+/alarm', 2)).map(topicOf).toSorted()).toEqual(alarms)
      expect((await opened.scanRetained('#', 7)).length).toBe(3_000)
      expect(store.retainedCount).toBe(3_000)
    }
  },
  {
    name: 'topics have one order, whatever the page size and after opening again',
    async run(bench) {
      const opened = await bench.open()
      for (const topicName of TOPICS.toReversed()) retain(opened.store, topicName)
      const order = (await opened.scanRetained('#')).map(topicOf)
      expect((await opened.scanRetained('#', 1)).map(topicOf)).toEqual(order)
      retain(opened.store, TOPICS[9] ?? '')
      const again = await bench.open()
      expect((await again.scanRetained('+/#', 3)).map(topicOf)).toEqual(order)
    }
  },
  {
    name: 'a scan can go on from any topic name, retained or not',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      for (const topicName of TOPICS) retain(store, topicName)
      for (const topicFilter of ['#', '+/+', 'sport/#', 'a', '$SYS/#']) {
        const order = (await opened.scanRetained(topicFilter)).map(topicOf)
        for (const [index, after] of order.entries()) {
          const page = await store.readRetained(topicFilter, after, 1_000)
          expect(page.messages.map(topicOf)).toEqual(order.slice(index + 1))
          store.deleteRetained(after)
          const page2 = await store.readRetained(topicFilter, after, 1_000)
          expect(page2.messages.map(topicOf)).toEqual(order.slice(index + 1))
          retain(store, after)
        }
      }
    }
  },
  {
    name: 'what stays retained from the first page of a scan to the last appears exactly once',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      const name = (index: number): string => `t/${index % 2 === 0 ? 'even' : 'odd'}/${(index * 7_919) % 1_000}`
      for (let index = 0; index < 1_000; index++) retain(store, name(index))
      const found = await opened.scanRetained('t/#', 37, (page) => {
        for (let index = page; index < 1_000; index += 50) {
          if (index % 3 === 0) store.deleteRetained(name(index))
          else if (index % 3 === 1) retain(store, name(index), 'changed')
          retain(store, `t/even/${index}/new/${page}`)
          retain(store, `t/odd/${index}/new/${page}`)
        }
      })
      const times = Map.groupBy(found.map(topicOf), (topicName) => topicName)
      for (let index = 0; index < 1_000; index++) {
        const count = times.get(name(index))?.length ?? 0
        if (index % 3 === 0) expect(count).toBeLessThanOrEqual(1)
        else expect([name(index), count]).toEqual([name(index), 1])
      }
      expect(found.length).toBe(times.size)
      expect((await opened.scanRetained('#')).length).toBe(store.retainedCount)
    }
  },
  {
    name: 'thousands of topics, added and removed in any order, are all found',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      const retained = new Set<string>()
      // A full cycle of a linear congruential generator: every number below 4,096 once, in no apparent order.
      let number = 1
      for (let step = 0; step < 12_288; step++) {
        number = (number * 1_229 + 351) % 4_096
        const topicName = `${number % 16}/${number}`
        if (step < 4_096 || (step >= 8_192 && number % 3 === 0)) {
          retain(store, topicName)
          retained.add(topicName)
        } else if (step < 8_192 && number % 8 !== 0) {
          store.deleteRetained(topicName)
          retained.delete(topicName)
        }
        if (step % 4_096 === 4_095) {
          expect(store.retainedCount).toBe(retained.size)
          expect((await opened.scanRetained('#', 500)).map(topicOf).toSorted()).toEqual([...retained].toSorted())
          const fives = [...retained].filter((name) => name.startsWith('5/'))
          expect((await opened.scanRetained('5/+', 500)).map(topicOf).toSorted()).toEqual(fives.toSorted())
        }
      }
    }
  }
]

function retain(store: Store, topicName: string, payload: string = 'x'): void {
  store.putRetained(message(topicName, payload, { retain: true }), store.lastSequence + 1)
}

function topicOf(retained: RetainedMessage): string {
  return retained.message.topicName
}
