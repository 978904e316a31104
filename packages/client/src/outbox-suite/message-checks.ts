import { outboxBytes, type OutboxMessage } from '../outbox-store.ts'
import { check, checkEqual } from './expectations.ts'
import type { OutboxCheck } from './outbox-bench.ts'
import { fullSample, sample, samples } from './samples.ts'

export const messageChecks: readonly OutboxCheck[] = [
  {
    name: 'a store that was never used is empty, and numbers begin with 1',
    async run(bench) {
      const contents = { clientId: undefined, nextSequence: 1, messages: 0, bytes: 0, receivedIdentifiers: [] }
      checkEqual(await bench.open(), contents, 'when opened')
      checkEqual(await bench.readAll(), [], 'what it holds')
      checkEqual(await bench.open(), contents, 'when opened again')
    }
  },
  {
    name: 'messages are read as they were accepted, at once and after opening again',
    async run(bench) {
      const messages = [
        fullSample(1),
        sample(2),
        sample(3, { qos: 2, isReleased: true }),
        sample(4, { retain: true, acceptedAtMs: 0, properties: { payloadFormatIndicator: 0 } }),
        sample(5, {
          properties: { messageExpiryInterval: 0, contentType: '', correlationData: new Uint8Array(0), userProperties: [] }
        }),
        // Bytes in the middle of others.
        sample(6, { payload: Uint8Array.from({ length: 100 }, (_, byte) => byte).subarray(40, 60) })
      ]
      await bench.open()
      await bench.commit({ put: messages })
      checkEqual(await bench.readAll(), messages, 'at once')
      await bench.open()
      checkEqual(await bench.readAll(), messages, 'after opening again')
    }
  },
  {
    name: 'a message may be as small or as large as MQTT has them',
    async run(bench) {
      const messages = [
        sample(1, { topicName: '/', payload: new Uint8Array(0) }),
        sample(2, { topicName: 'ü'.repeat(32_767), payload: Uint8Array.of(0) }),
        sample(3, { topicName: 't'.repeat(65_535), payload: patterned(65_535) }),
        sample(4, { payload: patterned(1_048_576) }),
        sample(5, { payload: patterned(4_000_001) }),
        sample(6, {
          payload: Uint8Array.of(255),
          properties: { contentType: 'c'.repeat(65_535), correlationData: patterned(65_535) }
        })
      ]
      await bench.open()
      for (const message of messages) await bench.commit({ put: [message] })
      const { bytes } = await bench.open()
      checkEqual(bytes, sumOf(messages), 'bytes')
      checkEqual((await bench.readAll()).map(digest), messages.map(digest), 'after opening again')
    }
  },
  {
    name: 'it tells how many messages it holds, and of how many bytes',
    async run(bench) {
      await bench.open()
      const messages = [...samples(1, 5), fullSample(6), sample(7, { topicName: '\u{1F600}', payload: new Uint8Array(0) })]
      await bench.commit({ put: messages })
      checkEqual(totalsOf(await bench.open()), { messages: 7, bytes: sumOf(messages) }, 'of all')
      await bench.commit({ remove: [1, 6], release: [] })
      const left = messages.filter(({ sequence }) => sequence !== 1 && sequence !== 6)
      checkEqual(totalsOf(await bench.open()), { messages: 5, bytes: sumOf(left) }, 'of those that are left')
      await bench.commit({ remove: left.map(({ sequence }) => sequence) })
      checkEqual(totalsOf(await bench.open()), { messages: 0, bytes: 0 }, 'of none')
    }
  },
  {
    name: 'numbers may have gaps, and go up to 2⁵³ - 2',
    async run(bench) {
      const messages = [1, 7, 255, 256, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 48, 2 ** 53 - 2].map((sequence) => sample(sequence))
      await bench.open()
      for (const message of messages) await bench.commit({ put: [message] })
      const { nextSequence } = await bench.open()
      check(nextSequence > 2 ** 53 - 2, `the next number is ${nextSequence}, and 2⁵³ - 2 was given`)
      checkEqual(await bench.readAll({ messages: 2 }), messages, 'two at a time')
      checkEqual(await bench.readAll({}, 2 ** 32 - 1), messages.slice(6), 'those above 2³² - 1')
    }
  },
  {
    name: 'the next number is above every one that was committed, whatever has become of its message',
    async run(bench) {
      await bench.open()
      await bench.commit({ put: samples(1, 10) })
      await bench.commit({ remove: samples(1, 10).map(({ sequence }) => sequence) })
      const { nextSequence } = await bench.open()
      check(nextSequence > 10, `the next number is ${nextSequence}, and 10 was given`)
      const again = await bench.open()
      checkEqual(again.nextSequence, nextSequence, 'the next number, when nothing was committed')
    }
  },
  {
    name: 'messages that are removed are gone; removing what is not there is no error',
    async run(bench) {
      await bench.open()
      await bench.commit({ remove: [1, 2, 3] })
      await bench.commit({ put: samples(1, 10) })
      await bench.commit({ remove: [2, 3, 5, 10, 11, 1_000_000] })
      await bench.commit({ remove: [3, 5], put: samples(11, 12) })
      const left = [1, 4, 6, 7, 8, 9, 11, 12]
      checkEqual(numbersOf(await bench.readAll()), left, 'at once')
      await bench.open()
      checkEqual(numbersOf(await bench.readAll()), left, 'after opening again')
    }
  },
  {
    name: 'a message whose PUBREC has come is released, is otherwise as it was, and can be removed',
    async run(bench) {
      const [first, second, third] = [fullSample(1), sample(2, { qos: 2 }), sample(3, { qos: 2 })]
      await bench.open()
      await bench.commit({ put: [first, second, third] })
      await bench.commit({ release: [1, 3] })
      const expected = [{ ...first, isReleased: true }, second, { ...third, isReleased: true }]
      checkEqual(await bench.readAll(), expected, 'at once')
      const contents = await bench.open()
      checkEqual(totalsOf(contents), { messages: 3, bytes: sumOf([first, second, third]) }, 'what it counts')
      checkEqual(await bench.readAll(), expected, 'after opening again')
      await bench.commit({ release: [2], remove: [1, 3] })
      await bench.open()
      checkEqual(await bench.readAll(), [{ ...second, isReleased: true }], 'when others are removed')
      await bench.commit({ remove: [2] })
      checkEqual(totalsOf(await bench.open()), { messages: 0, bytes: 0 }, 'when all are removed')
    }
  }
]

export const readChecks: readonly OutboxCheck[] = [
  {
    name: 'a read gives the messages above a number, in order, up to the limit of messages',
    async run(bench) {
      await bench.open()
      await bench.commit({ put: samples(1, 20) })
      for (const [after, messages, expected] of [
        [0, 1, [1]],
        [0, 3, [1, 2, 3]],
        [17, 3, [18, 19, 20]],
        [17, 4, [18, 19, 20]],
        [20, 1, []],
        [1_000, 1, []]
      ] as const) {
        checkEqual(numbersOf(await bench.read(after, { messages })), expected, `${messages} above ${after}`)
      }
    }
  },
  {
    name: 'a read keeps to the limit of bytes, but for its first message',
    async run(bench) {
      await bench.open()
      const messages = samples(1, 5, { topicName: 'topic', payload: new Uint8Array(1_000) })
      const bytes = outboxBytes(sample(1, { topicName: 'topic', payload: new Uint8Array(1_000) }))
      await bench.commit({ put: messages })
      for (const [limit, expected] of [
        [1, [1]],
        [bytes, [1]],
        [2 * bytes - 1, [1]],
        [2 * bytes, [1, 2]],
        [4 * bytes, [1, 2, 3, 4]],
        [100 * bytes, [1, 2, 3, 4, 5]]
      ] as const) {
        checkEqual(numbersOf(await bench.read(0, { bytes: limit })), expected, `up to ${limit} bytes`)
      }
      checkEqual(numbersOf(await bench.readAll({ bytes: 1 })), [1, 2, 3, 4, 5], 'all, one by one')
    }
  },
  {
    name: 'only an empty answer means that there are no more',
    async run(bench) {
      await bench.open()
      await bench.commit({ put: samples(1, 3_000) })
      await bench.commit({ remove: samples(2, 2_999).map(({ sequence }) => sequence) })
      checkEqual(numbersOf(await bench.readAll({ messages: 1 })), [1, 3_000], 'the ends of a gap')
    }
  },
  {
    name: 'thousands of messages of one commit, and of many, are read in order, in slices of any size',
    async run(bench) {
      await bench.open()
      await bench.commit({ put: samples(1, 3_000) })
      for (let first = 3_001; first <= 3_200; first += 5) await bench.commit({ put: samples(first, first + 4) })
      await bench.open()
      const expected = numbersOf(samples(1, 3_200))
      for (const messages of [100_000, 1_000, 999]) {
        checkEqual(numbersOf(await bench.readAll({ messages })), expected, `${messages} at a time`)
      }
    }
  },
  {
    name: 'a read while a commit is under way gives all of that commit or nothing of it',
    async run(bench) {
      await bench.open()
      await bench.commit({ put: samples(1, 100) })
      const commit = bench.commit({ put: samples(101, 200), remove: samples(1, 100).map(({ sequence }) => sequence) })
      const during = numbersOf(await bench.read(0))
      await commit
      const [before, after] = [numbersOf(samples(1, 100)), numbersOf(samples(101, 200))]
      checkEqual(during, during[0] === 1 ? before : after, 'during the commit')
      checkEqual(numbersOf(await bench.read(0)), after, 'after it')
    }
  }
]

function patterned(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index * 7)
}

/** A large message in short. */
function digest({ payload, topicName, properties, ...rest }: OutboxMessage): unknown {
  const hash = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, bytes.length)
  const { contentType, correlationData } = properties
  const texts = [topicName, contentType ?? ''].map((text) => [text.length, hash(new TextEncoder().encode(text))])
  return { ...rest, texts, payload: hash(payload), correlationData: hash(correlationData ?? new Uint8Array(0)) }
}

function numbersOf(messages: readonly OutboxMessage[]): number[] {
  return messages.map(({ sequence }) => sequence)
}

function sumOf(messages: readonly OutboxMessage[]): number {
  return messages.reduce((sum, message) => sum + outboxBytes(message), 0)
}

function totalsOf({ messages, bytes }: { readonly messages: number; readonly bytes: number }): object {
  return { messages, bytes }
}
