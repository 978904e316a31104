import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { message } from '../suite/samples.ts'
import { checkStore } from './store-tools/check-store.ts'
import { benchIn, countsIn, temporaryFolder } from './testing/temporary-store.ts'

describe('messages that are kept together', () => {
  const MANY = 100

  /** Two queues with messages of their own, in turns, and at 50 one for both. */
  async function filled(path: string): Promise<number[]> {
    const bench = benchIn(path)
    const { store } = await bench.open()
    const [a, b] = [store.openQueue('a'), store.openQueue('b')]
    for (let count = 1; count <= MANY; count++) {
      store.append(message(`t/${count}`), count === 50 ? [a, b] : [count % 2 === 0 ? a : b])
    }
    await bench.close()
    return [a, b]
  }

  test('given a cut within them, wherever, then what is behind it is there, counted and read, also after a restart', async () => {
    const whole = temporaryFolder()
    const [a = 0, b = 0] = await filled(whole)
    for (const through of [1, 2, 3, 30, 48, 49, 50, 51, 99, 100]) {
      const path = temporaryFolder()
      cpSync(join(whole, 'data.mdb'), join(path, 'data.mdb'))
      const bench = benchIn(path)
      const { store } = await bench.open()
      store.trimQueue(a, through)
      await bench.close()
      const opened = await bench.open()
      const left = Array.from({ length: MANY }, (_, index) => index + 1).filter((count) => count % 2 === 0 && count > through)
      const read = await opened.readAll([{ queue: a, after: 0 }], 7)
      expect(read.map(({ sequence, message: held }) => [sequence, held.topicName])).toEqual(
        left.map((count) => [count, `t/${count}`])
      )
      expect(opened.store.backlog({ queue: a, after: 0 })).toEqual({
        messages: left.length,
        bytes: left.reduce((bytes, count) => bytes + `t/${count}`.length, 0)
      })
      expect(opened.store.backlog({ queue: a, after: 80 }).messages).toBe(left.filter((count) => count > 80).length)
      expect((await opened.readAll([{ queue: b, after: 0 }])).length).toBe(MANY / 2 + 1)
      expect(await findingsIn(path)).toEqual([])
      opened.store.dropQueue(a)
      opened.store.trimQueue(b, MANY)
      await bench.close()
      expect(await countsIn(path)).toEqual({ bodies: 0, entries: 0, cuts: 0 })
    }
  })

  test('given a position within them, then reading begins behind it, and both queues are merged', async () => {
    const path = temporaryFolder()
    const [a = 0, b = 0] = await filled(path)
    const { store } = await benchIn(path).open()
    for (let after = 0; after <= MANY; after++) {
      const positions = [
        { queue: a, after },
        { queue: b, after }
      ]
      const expected = Array.from({ length: Math.min(9, MANY - after) }, (_, index) => after + index + 1)
      expect((await store.read(positions, 9)).map(({ sequence }) => sequence)).toEqual(expected)
    }
  })

  test('given messages that are too many, too large, or in two queues, then they are by themselves, or in several runs', async () => {
    const path = temporaryFolder()
    const bench = benchIn(path)
    const { store } = await bench.open()
    const queue = store.openQueue('#')
    const sizes = [...Array.from({ length: 70 }, () => 0), 900, 900, 900, 1_990, 5_000, 10, 100_000, 10, 10]
    for (const size of sizes) store.append(message('t', new Uint8Array(size)), [queue])
    await bench.close()
    const opened = await bench.open()
    const read = await opened.readAll([{ queue, after: 0 }])
    expect(read.map((entry) => entry.message.payload.byteLength)).toEqual(sizes)
    expect(await findingsIn(path)).toEqual([])
    expect(await countsIn(path)).toMatchObject({ bodies: sizes.length, entries: sizes.length })
  })
})

async function findingsIn(path: string): Promise<string[]> {
  const findings: string[] = []
  await checkStore(path, (what) => findings.push(what))
  return findings
}
