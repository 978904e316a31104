import { expect } from 'vitest'
import type { LogEntry, QueuePosition, Store } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'
import type { StoreCheck } from './open-store.ts'
import { fullMessage, message, plain } from './samples.ts'

export const logChecks: readonly StoreCheck[] = [
  {
    name: 'sequence numbers rise, with and without queues, and across openings',
    async run(bench) {
      const { store } = await bench.open()
      expect(store.lastSequence).toBe(0)
      const queue = store.openQueue('a')
      const sequences = appendMany(store, [[], [queue], [], [queue], []])
      expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
      expect(new Set(sequences).size).toBe(5)
      expect(sequences[0]).toBeGreaterThan(0)
      const last = sequences.at(-1) ?? 0
      expect(store.lastSequence).toBe(last)

      const { store: again } = await bench.open()
      expect(again.lastSequence).toBeGreaterThanOrEqual(last)
      const reopenedAt = again.lastSequence
      expect(again.append(message('t'), [])).toBeGreaterThan(reopenedAt)
    }
  },
  {
    name: 'a sequence number is not given again though nothing of it is left',
    async run(bench) {
      const { store } = await bench.open()
      const queue = store.openQueue('a')
      const last = store.append(message('t'), [queue])
      store.trimQueue(queue, last)
      store.dropQueue(queue)
      const { store: again } = await bench.open()
      expect(again.append(message('t'), [])).toBeGreaterThan(last)
    }
  },
  {
    name: 'a topic filter has one queue, under one name, also when opened again',
    async run(bench) {
      const { store } = await bench.open()
      const ids = ['a', 'b', '+', 'a/#'].map((topicFilter) => store.openQueue(topicFilter))
      expect(new Set(ids).size).toBe(4)
      expect(store.openQueue('b')).toBe(ids[1])
      const { store: again } = await bench.open()
      expect(['a/#', '+', 'b', 'a'].map((topicFilter) => again.openQueue(topicFilter))).toEqual(ids.toReversed())
    }
  },
  {
    name: 'what was appended can be read at once, as it was given',
    async run(bench) {
      const { store } = await bench.open()
      const [a, b] = [store.openQueue('a'), store.openQueue('b')]
      const given = fullMessage('t')
      const sequence = store.append(given, [a, b])
      const entries = await store.read([{ queue: a, after: 0 }], 10)
      expect(entries.length).toBe(1)
      expect(entries[0]?.sequence).toBe(sequence)
      expect(new Set(entries[0]?.queues)).toEqual(new Set([a, b]))
      expect(plain(entries[0]?.message)).toEqual(plain(given))
    }
  },
  {
    name: 'a queue holds only what was appended to it',
    async run(bench) {
      const { store } = await bench.open()
      const [a, b] = [store.openQueue('a'), store.openQueue('b')]
      const [inA, inB, , inBoth] = appendMany(store, [[a], [b], [], [a, b]])
      expect(await sequencesOf(store, [a])).toEqual([inA, inBoth])
      expect(await sequencesOf(store, [b])).toEqual([inB, inBoth])
    }
  },
  {
    name: 'a read begins after its position and ends at its limit',
    async run(bench) {
      const { store } = await bench.open()
      const queue = store.openQueue('a')
      const sequences = appendMany(
        store,
        Array.from({ length: 20 }, (_, index) => (index % 3 === 2 ? [] : [queue]))
      )
      const held = sequences.filter((_, index) => index % 3 !== 2)
      for (const after of [0, ...sequences, store.lastSequence + 1_000]) {
        for (const limit of [1, 2, 7, 100]) {
          const expected = held.filter((sequence) => sequence > after).slice(0, limit)
          expect((await store.read([{ queue, after }], limit)).map(sequenceOf)).toEqual(expected)
        }
      }
    }
  },
  {
    name: 'several queues are merged in order of sequence, each entry once, each queue from its own position',
    async run(bench) {
      const { store } = await bench.open()
      const queues = ['a', 'b', 'c', 'd', 'e'].map((topicFilter) => store.openQueue(topicFilter))
      const appended: (readonly [sequence: SequenceNumber, queues: readonly number[]])[] = []
      for (let number = 0; number < 64; number++) {
        const chosen = queues.filter((_, index) => (number & (1 << index)) !== 0)
        appended.push([store.append(message('t'), chosen), chosen])
      }
      for (let choice = 1; choice < 32; choice++) {
        const positions = queues
          .filter((_, index) => (choice & (1 << index)) !== 0)
          .map((queue, index) => ({ queue, after: appended[(choice * 7 + index * 13) % 48]?.[0] ?? 0 }))
        const expected = appended
          .filter(([sequence, held]) => positions.some(({ queue, after }) => held.includes(queue) && sequence > after))
          .map(([sequence]) => sequence)
        for (const limit of [1, 5, 1_000]) {
          expect((await store.read(positions, limit)).map(sequenceOf)).toEqual(expected.slice(0, limit))
        }
      }
    }
  },
  {
    name: 'hundreds of queues are merged',
    async run(bench) {
      const { store } = await bench.open()
      const queues = Array.from({ length: 300 }, (_, index) => store.openQueue(`device/${index}`))
      const chosen = Array.from({ length: 900 }, (_, index) => queues.filter((_, queue) => (queue * 31 + index) % 97 === 0))
      const sequences = appendMany(store, chosen)
      const expected = sequences.filter((_, index) => (chosen[index]?.length ?? 0) > 0)
      expect(await sequencesOf(store, queues)).toEqual(expected)
    }
  },
  {
    name: 'reading no queues, or queues that there are not, finds nothing',
    async run(bench) {
      const { store } = await bench.open()
      const queue = store.openQueue('a')
      const sequence = store.append(message('t'), [queue])
      expect(await store.read([], 10)).toEqual([])
      expect(await store.read([{ queue: queue + 1_000, after: 0 }], 10)).toEqual([])
      const positions = [queue + 1_000, queue].map((queue) => ({ queue, after: 0 }))
      expect((await store.read(positions, 10)).map(sequenceOf)).toEqual([sequence])
      expect(store.backlog({ queue: queue + 1_000, after: 0 })).toEqual({ messages: 0, bytes: 0 })
    }
  },
  {
    name: 'trimming cuts up to and including a sequence number, and again changes nothing',
    async run(bench) {
      const { store } = await bench.open()
      const queue = store.openQueue('a')
      const sequences = appendMany(
        store,
        Array.from({ length: 100 }, () => [queue])
      )
      for (const kept of [100, 99, 50, 50, 80, 3, 1, 0]) {
        store.trimQueue(queue, sequences[99 - kept] ?? 0)
        store.trimQueue(queue, sequences[99 - kept] ?? 0)
        const left = Math.min(kept, kept === 80 ? 50 : 100)
        expect(await sequencesOf(store, [queue])).toEqual(left === 0 ? [] : sequences.slice(-left))
        expect(store.backlog({ queue, after: 0 }).messages).toBe(left)
      }
      const [next] = appendMany(store, [[queue]])
      expect(await sequencesOf(store, [queue])).toEqual([next])
    }
  },
  {
    name: 'trimming one queue leaves the entry in the other',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      const [a, b] = [store.openQueue('a'), store.openQueue('b')]
      const given = fullMessage('t')
      const sequence = store.append(given, [a, b])
      store.trimQueue(a, sequence)
      expect(await sequencesOf(store, [a])).toEqual([])
      expect(plain((await store.read([{ queue: b, after: 0 }], 1))[0]?.message)).toEqual(plain(given))
      const { store: again } = await bench.open()
      expect(await sequencesOf(again, [a])).toEqual([])
      expect(plain((await again.read([{ queue: b, after: 0 }], 1))[0]?.message)).toEqual(plain(given))
      again.trimQueue(b, sequence)
      expect(await sequencesOf(again, [a, b])).toEqual([])
    }
  },
  {
    name: 'trimming beyond the end does not touch what comes later',
    async run(bench) {
      const opened = await bench.open()
      const { store } = opened
      const queue = store.openQueue('a')
      store.trimQueue(queue, store.append(message('t'), [queue]))
      const [later] = appendMany(store, [[queue]])
      await opened.allCommitted()
      expect(await sequencesOf(store, [queue])).toEqual([later])
      const { store: again } = await bench.open()
      expect(await sequencesOf(again, [queue])).toEqual([later])
    }
  },
  {
    name: 'a dropped queue is gone, with what only it held; its name is not given again',
    async run(bench) {
      const { store } = await bench.open()
      const [a, b] = [store.openQueue('a'), store.openQueue('b')]
      const [, both] = appendMany(store, [[a], [a, b]])
      store.dropQueue(a)
      store.dropQueue(a)
      expect(await sequencesOf(store, [a])).toEqual([])
      expect(store.backlog({ queue: a, after: 0 })).toEqual({ messages: 0, bytes: 0 })
      expect(await sequencesOf(store, [a, b])).toEqual([both])

      const late = store.append(message('t'), [a, b])
      store.trimQueue(a, late)
      expect(await sequencesOf(store, [a])).toEqual([])
      expect(await sequencesOf(store, [b])).toEqual([both, late])

      const made = store.openQueue('a')
      expect([a, b]).not.toContain(made)
      expect(await sequencesOf(store, [made])).toEqual([])
      const [next] = appendMany(store, [[made]])
      expect(await sequencesOf(store, [made])).toEqual([next])

      const { store: again } = await bench.open()
      expect(again.openQueue('a')).toBe(made)
      expect(await sequencesOf(again, [a])).toEqual([])
      expect(await sequencesOf(again, [made, b])).toEqual([both, late, next])
    }
  },
  {
    name: 'a backlog counts the messages after a position, and the bytes of their payloads and UTF-8 topic names',
    async run(bench) {
      const { store } = await bench.open()
      const [a, b] = [store.openQueue('a'), store.openQueue('b')]
      expect(store.backlog({ queue: a, after: 0 })).toEqual({ messages: 0, bytes: 0 })
      const first = store.append(message('é', 'x'), [a])
      const other = store.append(message('other', 'not counted'), [b])
      const second = store.append(message('tt', ''), [a, b])
      const third = store.append(message('𝄞', new Uint8Array(65_535)), [a])
      const expected = [
        [0, 3, 3 + 2 + 65_539],
        [first, 2, 2 + 65_539],
        [other, 2, 2 + 65_539],
        [second, 1, 65_539],
        [third, 0, 0],
        [third + 1_000, 0, 0]
      ] as const
      for (const [after, messages, bytes] of expected) expect(store.backlog({ queue: a, after })).toEqual({ messages, bytes })

      const { store: again } = await bench.open()
      for (const [after, messages, bytes] of expected) expect(again.backlog({ queue: a, after })).toEqual({ messages, bytes })
      again.trimQueue(a, first)
      expect(again.backlog({ queue: a, after: 0 })).toEqual({ messages: 2, bytes: 2 + 65_539 })
      again.trimQueue(a, third)
      expect(again.backlog({ queue: a, after: 0 })).toEqual({ messages: 0, bytes: 0 })
    }
  },
  {
    name: 'the bytes stored grow with what is queued and retained, and go with it',
    async run(bench) {
      const { store } = await bench.open()
      expect(store.storedBytes).toBe(0)
      const queue = store.openQueue('a')
      const sequence = store.append(message('a', new Uint8Array(10_000)), [queue])
      expect(store.storedBytes).toBeGreaterThanOrEqual(10_000)
      store.putRetained(message('r', new Uint8Array(20_000)), sequence)
      store.putRetained(message('r', new Uint8Array(5_000)), sequence)
      const both = store.storedBytes
      expect(both).toBeGreaterThanOrEqual(15_000)
      expect(both).toBeLessThan(30_000)

      const { store: again } = await bench.open()
      expect(again.storedBytes).toBe(both)
      again.trimQueue(queue, sequence)
      expect(again.storedBytes).toBeLessThanOrEqual(both - 10_000)
      again.deleteRetained('r')
      again.deleteRetained('r')
      expect(again.storedBytes).toBe(0)
      again.append(message('a', new Uint8Array(10_000)), [queue])
      again.dropQueue(queue)
      expect(again.storedBytes).toBe(0)
    }
  },
  {
    name: 'a long queue that grows at its end while it is cut at its head stays right',
    async run(bench) {
      const { store } = await bench.open()
      const queue = store.openQueue('a')
      let held: SequenceNumber[] = []
      for (let round = 0; round < 60; round++) {
        for (let number = 0; number < 100; number++) held.push(store.append(message('t', 'p'), [queue]))
        // Grows for a while, then is cut to a few, again and again.
        const kept = round % 20 === 19 ? 5 : Math.floor(held.length * 0.95)
        const through = held.at(-kept - 1) ?? 0
        store.trimQueue(queue, through)
        held = held.slice(-kept)
        const after = held[Math.floor(kept / 3)] ?? 0
        const behind = held.filter((sequence) => sequence > after)
        expect((await store.read([{ queue, after }], 10)).map(sequenceOf)).toEqual(behind.slice(0, 10))
        expect(store.backlog({ queue, after })).toEqual({ messages: behind.length, bytes: behind.length * 2 })
      }
      expect(await sequencesOf(store, [queue])).toEqual(held)
    }
  },
  {
    name: 'queues and their messages are kept, with all that a message carries',
    async run(bench) {
      const { store } = await bench.open()
      const [a, b] = [store.openQueue('a/+/ü'), store.openQueue('#')]
      const messages = [
        fullMessage('a/b/ü'),
        message('t'),
        message('t', Uint8Array.of(0)),
        message(
          't',
          Uint8Array.from({ length: 65_535 }, (_, index) => index % 251)
        ),
        message('t', 'x', { qos: 0, expiresAtMs: Infinity }),
        message('t', 'x', { qos: 2, retain: true, expiresAtMs: 0, publishedAtMs: Number.MAX_SAFE_INTEGER }),
        message('t', 'x', {
          properties: { payloadFormatIndicator: 0, messageExpiryInterval: 0, correlationData: new Uint8Array(0) }
        }),
        message('t', 'x', { properties: { contentType: '', responseTopic: 'r', userProperties: [['a', '']] } }),
        message(`${'l'.repeat(65_534)}é`.slice(1), 'x', { publisherClientId: 'ü'.repeat(1_000) })
      ]
      const sequences = messages.map((given, index) => store.append(given, index % 2 === 0 ? [a] : [b, a]))
      const opened = await bench.open()
      const entries = await opened.readAll([{ queue: a, after: 0 }], 2)
      expect(entries.map(sequenceOf)).toEqual(sequences)
      expect(entries.map((entry) => plain(entry.message))).toEqual(messages.map(plain))
      expect(entries.map((entry) => entry.queues.length)).toEqual(messages.map((_, index) => (index % 2) + 1))
      expect(await sequencesOf(opened.store, [b])).toEqual(sequences.filter((_, index) => index % 2 === 1))
    }
  },
  {
    name: 'a slice that was read stays as it is, whatever comes after',
    async run(bench) {
      const { store } = await bench.open()
      const queue = store.openQueue('a')
      const sequence = store.append(message('t', 'first'), [queue])
      const slice = await store.read([{ queue, after: 0 }], 10)
      store.append(message('t', 'other'), [queue])
      store.trimQueue(queue, sequence)
      await store.read([{ queue, after: 0 }], 10)
      store.dropQueue(queue)
      expect(slice.map((entry) => [entry.sequence, plain(entry.message)])).toEqual([[sequence, plain(message('t', 'first'))]])
    }
  }
]

function appendMany(store: Store, queues: readonly (readonly number[])[]): SequenceNumber[] {
  return queues.map((chosen) => store.append(message('t', 'p'), chosen))
}

async function sequencesOf(store: Store, queues: readonly number[]): Promise<SequenceNumber[]> {
  const positions: QueuePosition[] = queues.map((queue) => ({ queue, after: 0 }))
  return (await store.read(positions, 1_000_000)).map(sequenceOf)
}

function sequenceOf(entry: LogEntry): SequenceNumber {
  return entry.sequence
}
