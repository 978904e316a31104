import { statSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { message } from '../suite/samples.ts'
import { Batch, growthOf } from './batch.ts'
import { mergeChanges } from './merge-changes.ts'
import { numberedKey, RecordKind, writeIndexEntry } from './layout.ts'
import { surveyRoom } from './room.ts'
import { openTables } from './tables.ts'
import { StoreProcess } from './testing/run-store-process.ts'
import { benchIn, temporaryFolder } from './testing/temporary-store.ts'
import { TRIMMED_MAX, trimQueues } from './trim-queues.ts'

/** What one commit may hold: messages to queues, records put in no order and deleted, and cuts. */
const commits = fc.array(
  fc.record({
    messages: fc.oneof(fc.nat(40), fc.nat(3_000)),
    queues: fc.constantFrom(1, 7, 900),
    bytes: fc.constantFrom(10, 100, 1_500, 2_100, 9_000),
    records: fc.oneof(fc.nat(20), fc.nat(3_000)),
    trim: fc.boolean()
  }),
  { minLength: 4, maxLength: 8 }
)

test('no commit needs more new pages than were provided for it', async () => {
  const histories = fc.asyncProperty(commits, async (history) => {
    const tables = openTables(temporaryFolder())
    let sequence = 0
    for (const { messages, queues, bytes, records, trim } of history) {
      const batch = new Batch()
      for (let count = Math.min(messages, Math.ceil(4_000_000 / bytes)); count > 0; count--) {
        const queue = 1 + (sequence % queues)
        batch.putLog(++sequence).raw(new Uint8Array(bytes))
        batch.end()
        writeIndexEntry(batch.putIndex(queue, sequence), { isOnly: true, messagesBefore: sequence, bytesBefore: 0, bytes })
        batch.end()
      }
      for (let count = 0; count < records; count++) {
        // A prime far from the others: numbers in no apparent order.
        const key = numberedKey(RecordKind.Session, (count * 7_919 * (1 + (bytes % 7))) % 10_007)
        if (count % 5 === 0) batch.delete('records', key)
        else {
          batch.put('records', key).raw(new Uint8Array(20 + (count % 200)))
          batch.end()
        }
      }
      const changes = batch.take()
      const growth = growthOf(changes)
      const before = surveyRoom(tables, growth, trim ? 3 : 0)
      const trims = [1, 2, 3].map((queue) => ({ queue, through: Math.max(0, sequence - 10) }))
      tables.root.transactionSync(() => {
        mergeChanges(tables, changes, { journal: 1, number: sequence })
        if (trim) trimQueues(tables, trims, TRIMMED_MAX)
      })
      const after = surveyRoom(tables, growth, 0)
      const provided = before.growthPages + (trim ? before.cuttingPages : 0)
      expect(after.pages - before.pages).toBeLessThanOrEqual(provided)
      expect(after.freePages).toBeLessThan(after.pages)
    }
    await tables.root.close()
  })
  await fc.assert(histories, { numRuns: 25 })
})

test('given a process that was killed while it read the file, then what becomes free is used again all the same', async () => {
  const path = temporaryFolder()
  const opened = await benchIn(path).open()
  const queue = opened.store.openQueue('#')
  const reader = new StoreProcess([path, 'holds'], [], new URL('testing/opening-process.ts', import.meta.url))
  await reader.says('opened')
  await reader.kill()
  for (let round = 0; round < 40; round++) {
    for (let count = 0; count < 100; count++) opened.store.append(message('t', new Uint8Array(50_000)), [queue])
    await opened.allCommitted()
    opened.store.trimQueue(queue, opened.store.lastSequence)
    await opened.allCommitted()
  }
  // 5 MB at a time.
  expect(statSync(join(path, 'data.mdb')).size).toBeLessThan(120_000_000)
})
