import { check, checkEqual, checkRejects } from './expectations.ts'
import type { OutboxCheck } from './outbox-bench.ts'
import { sample, samples } from './samples.ts'

/** Up to the last there is. */
const THOUSANDS_OF_IDENTIFIERS = Array.from({ length: 5_041 }, (_, index) => 15 + 13 * index)

export const stateChecks: readonly OutboxCheck[] = [
  {
    name: 'the Client Identifier is kept from when it is set',
    async run(bench) {
      await bench.open()
      await bench.commit({ clientId: 'pümp-7/\u{1F600}' })
      checkEqual((await bench.open()).clientId, 'pümp-7/\u{1F600}', 'after opening again')
      await bench.commit({ put: [sample(1)] })
      checkEqual((await bench.open()).clientId, 'pümp-7/\u{1F600}', 'after commits that say nothing of it')
    }
  },
  {
    name: 'Packet Identifiers that were received are kept until they are forgotten; saying it twice is no error',
    async run(bench) {
      await bench.open()
      await bench.commit({ forgotten: [1, 65_535] })
      await bench.commit({ received: [1, 65_535, 256] })
      await bench.commit({ received: [1, 2] })
      checkEqual(identifiersOf(await bench.open()), [1, 2, 256, 65_535], 'received')
      await bench.commit({ received: [3], forgotten: [256, 1, 4] })
      await bench.commit({ forgotten: [256] })
      checkEqual(identifiersOf(await bench.open()), [2, 3, 65_535], 'when some are forgotten')
      await bench.commit({ received: [1, 256], forgotten: [2, 3, 65_535] })
      checkEqual(identifiersOf(await bench.open()), [1, 256], 'when some are received again')
    }
  },
  {
    name: 'thousands of Packet Identifiers can be received at once',
    async run(bench) {
      await bench.open()
      await bench.commit({ received: THOUSANDS_OF_IDENTIFIERS })
      checkEqual(identifiersOf(await bench.open()), THOUSANDS_OF_IDENTIFIERS, 'received')
      await bench.commit({ forgotten: THOUSANDS_OF_IDENTIFIERS.slice(1) })
      checkEqual(identifiersOf(await bench.open()), [15], 'when all but one are forgotten')
    }
  },
  {
    name: 'one commit can hold changes of every kind',
    async run(bench) {
      await bench.open()
      await bench.commit({ clientId: 'c', put: samples(1, 4, { qos: 2 }), received: [7, 8] })
      await bench.commit({ put: samples(5, 6), release: [1, 2], remove: [3], received: [9], forgotten: [7] })
      const contents = await bench.open()
      checkEqual([contents.clientId, contents.nextSequence, contents.messages], ['c', 7, 5], 'contents')
      checkEqual(identifiersOf(contents), [8, 9], 'received')
      const held = (await bench.readAll()).map(({ sequence, isReleased }) => [sequence, isReleased])
      checkEqual(
        held,
        [
          [1, true],
          [2, true],
          [4, false],
          [5, false],
          [6, false]
        ],
        'messages'
      )
    }
  },
  {
    name: 'a commit without changes resolves',
    async run(bench) {
      await bench.open()
      await bench.commit({})
      checkEqual((await bench.open()).messages, 0, 'messages')
    }
  },
  {
    name: 'a second store on the same place is refused in one line until the first is closed',
    async run(bench) {
      await bench.open()
      await bench.commit({ put: [sample(1)] })
      const reason = await checkRejects(bench.another().open(), 'the second open')
      check(reason !== '' && !reason.includes('\n'), `the reason must be one line: ${reason}`)
      await bench.commit({ put: [sample(2)] })
      await bench.close()
      checkEqual((await bench.open()).messages, 2, 'messages, once it was closed')
    }
  },
  {
    name: 'it can be opened and closed again and again',
    async run(bench) {
      for (let opening = 1; opening <= 5; opening++) {
        const { nextSequence, messages } = await bench.open()
        checkEqual(messages, opening - 1, `messages at opening ${opening}`)
        await bench.commit({ put: [sample(nextSequence)] })
        if (opening % 2 === 0) await bench.close()
      }
    }
  }
]

function identifiersOf({ receivedIdentifiers }: { readonly receivedIdentifiers: readonly number[] }): number[] {
  return receivedIdentifiers.toSorted((a, b) => a - b)
}
