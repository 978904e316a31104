import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { historyQueueFilter, type QueueId } from '../../records.ts'
import { StoreBench } from '../../suite/open-store.ts'
import { fullMessage, inflight, message, progress, session, sharedGroup, subscription } from '../../suite/samples.ts'
import { ByteReader } from '../byte-reader.ts'
import { ByteWriter } from '../byte-writer.ts'
import {
  indexKey,
  logKey,
  numberedKey,
  readIndexEntry,
  readTotals,
  receivedKey,
  recordKey,
  RecordKind,
  sequenceOfIndexKey,
  subscriptionKey,
  textKey,
  trimValue,
  willKey,
  writeIndexEntry,
  writeLogValue,
  writeTotals,
  type LogValue
} from '../layout.ts'
import { beginBodies, Bodies, readIndexRun, writeBody, writeIndexRun, type IndexRun } from '../log-runs.ts'
import { LmdbStore } from '../lmdb-store.ts'
import { readRetained, writeProgress, writeRetained, writeSession, writeSharedGroup, writeSubscription } from '../record-codec.ts'
import { openTables, type Table, type Tables } from '../tables.ts'
import { benchIn, temporaryFolder } from '../testing/temporary-store.ts'
import { checkStore, type StoreSummary } from './check-store.ts'

const PAGE = 4_096
const MESSAGES = 300

/** Numbers of what `fill` puts: sessions and groups are numbered together, as they come. */
const SESSION = 1
const GROUP = 2
const OWN: QueueId = 1
const SHARED: QueueId = 2

const filled = mkdtempSync(join(tmpdir(), 'godwit-check-'))
beforeAll(() => fill(filled))
afterAll(() => rmSync(filled, { recursive: true, force: true }))

describe('a store that is sound', () => {
  test('given one that was closed, then nothing is found, and what it holds is told', async () => {
    const { findings, summary } = await check(filled)
    expect(findings).toEqual([])
    expect(summary).toMatchObject({
      formatVersion: 4,
      sessions: 1,
      subscriptions: 2,
      sharedSubscriptions: 1,
      wills: 1,
      queues: 3,
      unreadQueues: ['kept/#'],
      messages: MESSAGES + 1,
      retainedMessages: 2
    })
    expect(summary?.fileBytes).toBe(statSync(join(filled, 'data.mdb')).size)
  })

  test('given a subscription that is being sent history, then it needs that queue, and none of its own', async () => {
    const path = folderWith(filled)
    const opened = await benchIn(path).open()
    opened.store.openQueue(historyQueueFilter('h/#'))
    const replay = { historyFilter: 'h/#', after: 3 }
    opened.store.putSubscription('c', subscription('h/x', { replay }))
    opened.store.putSubscription('c', subscription('h/y', { replay: { ...replay, historyFilter: 'gone' } }))
    await opened.allCommitted()
    const { findings, summary } = await check(path)
    const name = 'subscription "h/y" of session "c"'
    expect(findings).toEqual([`${name} is being sent the history of a queue that is not there, $replay/all/gone`])
    expect(summary?.unreadQueues).toEqual(['kept/#'])
  })

  test('given one that is open, then nothing is found, and it goes on', async () => {
    const path = folderWith(filled)
    const opened = await benchIn(path).open()
    const queue = opened.store.openQueue('a/+')
    opened.store.append(message('a/b'), [queue])
    await opened.allCommitted()
    const { findings, summary } = await check(path)
    expect(findings).toEqual([])
    expect(summary?.messages).toBe(MESSAGES + 2)
    opened.store.trimQueue(queue, opened.store.lastSequence)
    await opened.allCommitted()
    await expect.poll(async () => (await check(path)).summary?.messages).toBe(1)
  })

  test('given a store that was never used, then nothing is found', async () => {
    const path = temporaryFolder()
    const bench = benchIn(path)
    await bench.open()
    await bench.close()
    expect((await check(path)).findings).toEqual([])
  })

  test('given a folder without a store, then the mistake says what is accepted', async () => {
    await expect(check(temporaryFolder())).rejects.toThrow(/holds no store; accepted is a folder with a file data\.mdb$/)
  })
})

describe('what does not hold is found', () => {
  const cases: readonly (readonly [what: string, finding: RegExp, plant: (tables: Tables) => void])[] = [
    [
      'a run of bodies that is gone',
      /^message 9 in queue 1 is not in the log$/,
      (tables) => tables.log.removeSync(logKey(runWith(tables, 9).bodiesAt))
    ],
    [
      'a body that is gone from its run',
      /^message 9 in queue 1 is not in the log$/,
      (tables) => editBodies(tables, 9, () => undefined)
    ],
    [
      'a body that is gone where two queues have the message',
      /^message 301 in queue 2 is not in the log$/,
      (tables) => tables.log.removeSync(logKey(MESSAGES + 1))
    ],
    [
      'an index entry that is gone',
      /^message \d+ is in the log and in no queue$/,
      (tables) => tables.index.removeSync(indexKey(OWN, runWith(tables, 9).last))
    ],
    [
      'an index entry that is gone where another queue has the message',
      /^message \d+ is missing in queue 1, which begins with 1$/,
      (tables) => tables.index.removeSync(indexKey(OWN, MESSAGES + 1))
    ],
    [
      'a message that is missing in the index of its run',
      /^message 9 is in the log and in no queue$/,
      (tables) => editRun(tables, 9, (run) => ({ ...run, messages: run.messages.filter(({ sequence }) => sequence !== 9) }))
    ],
    [
      'counts that do not go on',
      /^message \d+ in queue 1 says that 9 messages and \d+ bytes are before it; there are \d+ and \d+$/,
      (tables) => editRun(tables, MESSAGES, (run) => ({ ...run, messagesBefore: 9 }))
    ],
    [
      'a message measured wrongly',
      /^message 9 measures 100 bytes, and 99 as queue 1 has it$/,
      (tables) =>
        editRun(tables, 9, (run) => ({
          ...run,
          messages: run.messages.map((each) => (each.sequence === 9 ? { ...each, bytes: 99 } : each))
        }))
    ],
    [
      'a queue that takes a shared message for its own',
      /^message 301 is in 2 queues, and queue 2 takes it for its own$/,
      (tables) => editEntry(tables, SHARED, MESSAGES + 1, { isOnly: true })
    ],
    [
      'a message that is of another queue',
      /^message 9 in queue 1 is not one of that queue, as the log has it$/,
      (tables) => editBodies(tables, 9, ({ message: held }) => ({ message: held, queues: [SHARED] }))
    ],
    [
      'a body that cannot be read',
      /^message 301 cannot be read, in 20 bytes: a record ends too early$/,
      (tables) => {
        const key = logKey(MESSAGES + 1)
        tables.log.putSync(key, (tables.log.getBinary(key) ?? new Uint8Array(0)).slice(0, 20))
      }
    ],
    [
      'a run of bodies that ends too early',
      /^message 1 cannot be read, in 20 bytes: a record ends too early$/,
      (tables) => {
        const key = logKey(runWith(tables, 1).bodiesAt)
        tables.log.putSync(key, (tables.log.getBinary(key) ?? new Uint8Array(0)).slice(0, 20))
      }
    ],
    [
      'messages of a queue that is not there',
      /^the index has messages of queue 2, which there is not, and which is not being cut$/,
      (tables) => tables.records.removeSync(numberedKey(RecordKind.Queue, SHARED))
    ],
    [
      'a subscription without a queue',
      /^subscription "a\/\+" of session "c" has no queue$/,
      (tables) => tables.records.removeSync(numberedKey(RecordKind.Queue, OWN))
    ],
    [
      'two queues of one filter',
      /^queues 2 and 3 are both those of "b"$/,
      (tables) => put(tables.records, numberedKey(RecordKind.Queue, 3), (writer) => writer.text('b'))
    ],
    [
      'two sessions of one client',
      /^session "c" is there twice$/,
      (tables) => put(tables.records, numberedKey(RecordKind.Session, 7), (writer) => writeSession(writer, session('c')))
    ],
    [
      'a cursor beyond what was given',
      /^session "c" stands at 99999, beyond 30\d, the last that was given$/,
      (tables) => putProgress(tables, SESSION, progress(99_999))
    ],
    [
      'a message in flight that is nowhere',
      /^what session "c" has in flight under packet identifier 1 is neither in the log nor kept with it$/,
      (tables) => putProgress(tables, SESSION, progress(1, { inflight: [inflight(1, 0)] }))
    ],
    [
      'a packet identifier twice',
      /^session "c" has packet identifier 5 in use twice$/,
      (tables) => putProgress(tables, SESSION, progress(1, { inflight: [inflight(5, 9)], released: [5] }))
    ],
    [
      'what is finished, and lies before the cursor',
      /^session "c" has finished 3, which does not come after 9$/,
      (tables) => putProgress(tables, SESSION, progress(9, { finished: [3] }))
    ],
    [
      'a group that nobody is a member of',
      /^shared subscription "\$share\/g\/b" has no members$/,
      (tables) => tables.records.removeSync(subscriptionKey(SESSION, '$share/g/b'))
    ],
    [
      'a member of a group that is not there',
      /there is no such shared subscription "\$share\/g\/b"$/,
      (tables) => {
        tables.records.removeSync(numberedKey(RecordKind.Group, GROUP))
        tables.records.removeSync(numberedKey(RecordKind.Progress, GROUP))
      }
    ],
    [
      'a group with an impossible filter',
      /^shared subscription "b" has no valid filter$/,
      (tables) => put(tables.records, numberedKey(RecordKind.Group, 7), (writer) => writeSharedGroup(writer, sharedGroup('b')))
    ],
    [
      'a subscription of nobody',
      /^subscription "x" is one of session 7, which there is not$/,
      (tables) => put(tables.records, subscriptionKey(7, 'x'), (writer) => writeSubscription(writer, subscription('x')))
    ],
    [
      "a subscription in another's place",
      /^subscription "x" of session "c" is in another's place$/,
      (tables) => put(tables.records, subscriptionKey(SESSION, 'y'), (writer) => writeSubscription(writer, subscription('x')))
    ],
    [
      'the progress of nobody',
      /^there is no session or shared subscription 7, but how far it has come$/,
      (tables) => putProgress(tables, 7, progress(1))
    ],
    [
      'a received message of nobody',
      /^the message received under packet identifier 3 of session 7: there is no such session$/,
      (tables) => {
        const value = tables.records.getBinary(receivedKey(SESSION, 3)) ?? new Uint8Array(0)
        tables.records.putSync(receivedKey(7, 3), Buffer.from(value))
      }
    ],
    [
      'a session with something behind its end',
      /^session 1 has something behind its end$/,
      (tables) =>
        put(tables.records, numberedKey(RecordKind.Session, SESSION), (writer) => {
          writeSession(writer, session('c'))
          writer.byte(0)
        })
    ],
    [
      "a will in another's place",
      /^the will of "w" is in another's place$/,
      (tables) => tables.records.putSync(willKey('x'), Buffer.from(tables.records.getBinary(willKey('w')) ?? new Uint8Array(0)))
    ],
    [
      'a cut of what still waits',
      /^queue 1 is being cut through 9, with 3 messages that wait for subscription "a\/\+" of session "c", which stands at 4$/,
      (tables) => {
        // Of 5 to 9 the first was given up, and the last is finished.
        putProgress(tables, SESSION, progress(4, { finished: [9] }))
        tables.records.putSync(numberedKey(RecordKind.Trim, OWN), trimValue(9))
      }
    ],
    [
      'a total that is wrong',
      /^retained messages measure \d+ bytes, and 1 as the totals have it$/,
      (tables) =>
        edit(tables.records, recordKey(RecordKind.Totals), (value, writer) =>
          writeTotals(writer, { ...readTotals(value), retainedBytes: 1 })
        )
    ],
    [
      'a number beyond those given',
      /^message 30\d is beyond 12, the last that was given$/,
      (tables) =>
        edit(tables.records, recordKey(RecordKind.Totals), (value, writer) =>
          writeTotals(writer, { ...readTotals(value), sequencesGiven: 12 })
        )
    ],
    [
      "a retained message in another's place, that measures something else",
      /^the message retained for "r" (?:is in another's place|says that it measures 0 bytes; it is 258)$/,
      (tables) => {
        const value = tables.retained.getBinary(textKey('r')) ?? new Uint8Array(0)
        put(tables.retained, textKey('s'), (writer) =>
          writeRetained(writer, { ...readRetained(new ByteReader(value)), bytes: 0 })
        )
      }
    ]
  ]
  test.each(cases)('%s', async (_, finding, plant) => {
    const path = folderWith(filled)
    const tables = openTables(path)
    plant(tables)
    await tables.root.close()
    const { findings } = await check(path)
    expect(findings.some((found) => finding.test(found))).toBe(true)
  })

  test('a file with a scribbled page, whichever, or nothing but messages and free pages is affected', async () => {
    const whole = readFileSync(join(filled, 'data.mdb'))
    const before = (await check(filled)).summary
    let found = 0
    for (let page = 0; page * PAGE < whole.length && page < 60; page++) {
      const path = temporaryFolder()
      writeFileSync(join(path, 'data.mdb'), Buffer.from(whole).fill(0xa5, page * PAGE, (page + 1) * PAGE))
      const { findings, summary } = await check(path)
      if (findings.length > 0) found++
      else expect({ ...summary, freeBytes: 0 }).toEqual({ ...before, freeBytes: 0, availableBytes: summary?.availableBytes })
    }
    expect(found).toBeGreaterThan(10)
  })
})

/** Messages in a queue of a session and in that of a group, the last in both; and what records there are. */
async function fill(path: string): Promise<void> {
  const bench = new StoreBench({ store: () => new LmdbStore({ path }) })
  const { store } = await bench.open()
  store.putSession(session('c'))
  const own = store.openQueue('a/+')
  const shared = store.openQueue('b')
  store.openQueue('kept/#')
  store.putSharedGroup(sharedGroup('$share/g/b'))
  store.putSubscription('c', subscription('a/+', { skipped: [{ after: 4, through: 5 }], noLocal: true }))
  store.putSubscription('c', subscription('$share/g/b'))
  for (let count = 1; count <= MESSAGES; count++) store.append(message('a/b', new Uint8Array(97)), [own])
  store.append(message('b', new Uint8Array(20_000)), [own, shared])
  store.touch({ kind: 'session', key: 'c', progress: () => progress(0) })
  store.touch({ kind: 'group', key: '$share/g/b', progress: () => progress(0) })
  store.putReceived('c', 3, message('q'))
  store.putInflight('c', 8, message('q'))
  store.putWill({ clientId: 'w', message: message('w'), delayIntervalSeconds: 0, dueSinceMs: 0 })
  store.putRetained(fullMessage('r'), store.append(message('r'), []))
  store.putRetained(message('$SYS/x'), store.append(message('r'), []))
  await bench.close()
}

async function check(path: string): Promise<{ findings: string[]; summary: StoreSummary | undefined }> {
  const findings: string[] = []
  return { summary: await checkStore(path, (what) => findings.push(what)), findings }
}

function folderWith(store: string): string {
  const path = temporaryFolder()
  cpSync(join(store, 'data.mdb'), join(path, 'data.mdb'))
  return path
}

function put(table: Table, key: Uint8Array, write: (writer: ByteWriter) => void): void {
  const writer = new ByteWriter()
  write(writer)
  table.putSync(key, writer.copy())
}

function edit(table: Table, key: Uint8Array, write: (value: Uint8Array, writer: ByteWriter) => void): void {
  const value = table.getBinary(key)
  if (value === undefined) throw new Error('there is nothing to edit')
  put(table, key, (writer) => write(Buffer.from(value), writer))
}

function editEntry(tables: Tables, queue: QueueId, sequence: number, change: object): void {
  edit(tables.index, indexKey(queue, sequence), (value, writer) =>
    writeIndexEntry(writer, { ...readIndexEntry(value), ...change })
  )
}

/** The run of the first queue that has a message. */
function runWith(tables: Tables, sequence: number): IndexRun {
  const [found] = tables.index.getRange({ start: indexKey(OWN, sequence), limit: 1 })
  if (found === undefined) throw new Error('there is no such message')
  return readIndexRun(sequenceOfIndexKey(found.key), found.value)
}

function editRun(tables: Tables, sequence: number, change: (run: IndexRun) => IndexRun): void {
  const run = runWith(tables, sequence)
  put(tables.index, indexKey(OWN, run.last), (writer) => writeIndexRun(writer, change(run)))
}

/** Changes a body of a run, or leaves it out. */
function editBodies(tables: Tables, edited: number, change: (value: LogValue) => LogValue | undefined): void {
  const { bodiesAt } = runWith(tables, edited)
  edit(tables.log, logKey(bodiesAt), (value, writer) => {
    beginBodies(writer)
    const bodies = new Bodies(bodiesAt, value)
    for (let before = bodiesAt; bodies.advance();) {
      const { sequence } = bodies
      const body = sequence === edited ? change(bodies.read()) : bodies.read()
      if (body === undefined) continue
      const written = new ByteWriter()
      writeLogValue(written, body.queues, body.message)
      writeBody(writer, before, sequence, written.view)
      before = sequence
    }
  })
}

function putProgress(tables: Tables, number: number, record: Parameters<typeof writeProgress>[1]): void {
  put(tables.records, numberedKey(RecordKind.Progress, number), (writer) => writeProgress(writer, record))
}
