import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { OpenStore } from '../suite/open-store.ts'
import { fullMessage, inflight, message, plain, progress, session, sharedGroup, sorted, subscription } from '../suite/samples.ts'
import { readFormat } from './format-record.ts'
import { RecordKind, recordKey } from './layout.ts'
import { migrate } from './migrate.ts'
import { restoreStore } from './store-tools/restore-store.ts'
import { openTables } from './tables.ts'
import { benchIn, temporaryFolder } from './testing/temporary-store.ts'

const LARGE = message('r/2', new Uint8Array(5_000).fill(0x78), { retain: true })
const LONG = `r/${'l/'.repeat(1_000)}`

/** A folder with a store of an earlier format, which holds what `expectEverything` names; the last version to write it did. */
function folderOfFormat(version: 1 | 2 | 3): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'data.mdb'), unpacked(`store-format-${version}`))
  return folder
}

/** As that of format 3, and what its journal alone has: messages 11 to 13, and what `c/ü` has received under 1. */
function folderOfFormat3Unmerged(): string {
  const folder = temporaryFolder()
  for (const file of unpacked('store-format-3-unmerged').toString().split('\n')) {
    const [name = '', bytes = ''] = file.split(' ')
    writeFileSync(join(folder, name), Buffer.from(bytes, 'base64'))
  }
  return folder
}

function unpacked(name: string): Buffer {
  return gunzipSync(Buffer.from(readFileSync(new URL(`testing/${name}.base64`, import.meta.url), 'utf8'), 'base64'))
}

async function expectUnmerged(opened: OpenStore): Promise<void> {
  const entries = await opened.readAll([{ queue: 1, after: 10 }])
  expect(entries.map(({ sequence, message: held, queues }) => plain([sequence, held, queues]))).toEqual([
    plain([11, message('a/8', 'eight'), [1]]),
    plain([12, message('a/9', 'nine'), [1, 2]]),
    plain([13, message('a/10', 'ten'), [1]])
  ])
  const held = opened.contents.sessions.find((stored) => stored.session.clientId === 'c/ü')
  expect(held?.received.map(({ packetIdentifier }) => packetIdentifier)).toEqual([500, 3, 1])
}

async function expectEverything(opened: OpenStore): Promise<void> {
  const { store, contents } = opened
  expect(sorted(contents.sessions, (held) => held.session.clientId)).toEqual([
    plain({
      session: session('c/ü', { disconnectedAtMs: 1_700_000_000_000 }),
      subscriptions: [
        subscription('$share/g/s/+', { since: 4 }),
        subscription('a/+', { qos: 2, subscriptionIdentifier: 7, retainAsPublished: true, retainHandling: 2 }),
        subscription('b/#', { noLocal: true, retainHandling: 1, since: 1, retainedScan: { upTo: 10, after: 'r/1' } }),
        subscription('r/+', { since: 10, retainedScan: { upTo: 10, after: undefined } })
      ],
      progress: progress(2, {
        finished: [4],
        inflight: [
          inflight(65_534, 3, { subscriptionIdentifiers: [7] }),
          inflight(65_535, 8, { retain: true }),
          inflight(1, 5, { qos: 2, group: '$share/g/s/+' }),
          inflight(2, 9, { qos: 2, retain: true, subscriptionIdentifiers: [1, 268_435_455] }),
          inflight(3, 6, { group: '$share/g/s/+' })
        ],
        released: [9, 4]
      }),
      received: [
        { packetIdentifier: 500, message: fullMessage('received/500') },
        { packetIdentifier: 3, message: message('received/3') }
      ],
      inflightMessages: [
        { packetIdentifier: 1, message: fullMessage('s/5') },
        { packetIdentifier: 2, message: LARGE },
        { packetIdentifier: 3, message: message('s/6', 'six') },
        { packetIdentifier: 65_535, message: message('r/1', 'kept', { retain: true }) }
      ]
    }),
    plain({
      session: session('idle', { sessionExpiryIntervalSeconds: 3_600 }),
      subscriptions: [],
      progress: progress(0),
      received: [],
      inflightMessages: []
    })
  ])
  expect(sorted(contents.sharedGroups, ({ group }) => group.filter)).toEqual([
    plain({ group: sharedGroup('$share/g/s/+', { since: 4 }), progress: progress(4) }),
    plain({ group: sharedGroup('$share/h/s/+', { since: 5 }), progress: progress(0) })
  ])
  expect(sorted(contents.wills, ({ clientId }) => clientId)).toEqual([
    plain({ clientId: 'c/ü', message: fullMessage('will/ü'), delayIntervalSeconds: 30, dueSinceMs: 1_700_000_000_000 }),
    plain({ clientId: 'nobody', message: message('will'), delayIntervalSeconds: 0, dueSinceMs: 0 })
  ])
  const queues = sorted(contents.queues, ({ topicFilter }) => topicFilter)
  expect(queues).toEqual(
    ['a/+', 'b/#', 'left/over', 's/+'].map((topicFilter, index) => ({ queue: [1, 2, 4, 3][index], topicFilter }))
  )
  const all = [1, 2, 3, 4].map((queue) => ({ queue, after: 0 }))
  expect((await opened.readAll(all)).map(({ sequence, message: held }) => plain([sequence, held]))).toEqual([
    plain([2, message('a/2', 'two', { qos: 2 })]),
    plain([3, message('a/3', 'three')]),
    plain([4, message('b/4', 'four')]),
    plain([5, fullMessage('s/5')]),
    plain([6, message('s/6', 'six')]),
    plain([7, message('a/7', 'seven')])
  ])
  expect(all.map((position) => store.backlog(position).messages)).toEqual([2, 2, 2, 1])
  expect(sorted(await opened.scanRetained('#'), ({ message: held }) => held.topicName)).toEqual([
    plain({ sequence: 8, message: message('r/1', 'kept', { retain: true }) }),
    plain({ sequence: 9, message: LARGE }),
    plain({ sequence: 10, message: message(LONG, 'long', { retain: true }) })
  ])
  expect(store.lastSequence).toBe(10)
}

function formatIn(folder: string): number {
  const tables = openTables(folder)
  try {
    return readFormat(folder, tables.records.getBinary(recordKey(RecordKind.Format)))
  } finally {
    void tables.root.close()
  }
}

test.each([1, 2, 3] as const)(
  'given a store of format %d, then everything is found in it, and it is of the present format from then on',
  async (version) => {
    const folder = folderOfFormat(version)
    expect(formatIn(folder)).toBe(version)
    const bench = benchIn(folder)
    await expectEverything(await bench.open())
    await expectEverything(await bench.open())
    await bench.close()
    expect(formatIn(folder)).toBe(4)
  }
)

test.each([1, 2, 3] as const)(
  'given a store of format %d that was brought up, then what changes in it is kept as in any other',
  async (version) => {
    const bench = benchIn(folderOfFormat(version))
    const { store } = await bench.open()
    store.putInflight('c/ü', 2, message('another'))
    store.deleteInflight('c/ü', 3)
    store.putSession(session('c/ü', { listener: 'tcp' }))
    store.putReceived('c/ü', 1, message('received/1'))
    store.append(message('a/8', 'eight'), [1])
    const { contents } = await bench.open()
    const held = contents.sessions.find((stored) => stored.session.clientId === 'c/ü')
    expect(held?.inflightMessages.map(({ packetIdentifier }) => packetIdentifier)).toEqual([1, 2, 65_535])
    expect(held?.received.map(({ packetIdentifier }) => packetIdentifier)).toEqual([500, 3, 1])
    expect(held?.session.listener).toBe('tcp')
  }
)

test.each([
  [1, 0],
  [1, 4],
  [1, 9],
  [1, 1_000],
  [2, 0],
  [2, 1],
  [2, 1_000],
  [3, 0],
  [3, 1_000]
] as const)(
  'given a process that is killed while it brings a store of format %d up, at change %d, then the next finds everything',
  async (version, change) => {
    const folder = folderOfFormat(version)
    const script = fileURLToPath(new URL('testing/migrating-process.ts', import.meta.url))
    const { signal } = spawnSync(process.execPath, [
      '--conditions=godwit-source',
      script,
      folder,
      String(version),
      String(change)
    ])
    expect(signal).toBe('SIGKILL')
    expect(formatIn(folder)).toBe(version)
    await expectEverything(await benchIn(folder).open())
  }
)

describe('a store of format 3 whose last commits are in its journal alone', () => {
  test('given that it is opened, then they are found, and stay', async () => {
    const folder = folderOfFormat3Unmerged()
    const bench = benchIn(folder)
    await expectUnmerged(await bench.open())
    await expectUnmerged(await bench.open())
    await bench.close()
    expect(formatIn(folder)).toBe(4)
  })

  test('given a process that was killed when it had brought the tables up, then they are found by the next', async () => {
    const folder = folderOfFormat3Unmerged()
    const tables = openTables(folder)
    migrate(tables, 3)
    await tables.root.close()
    await expectUnmerged(await benchIn(folder).open())
  })

  test('given that it is restored as a backup is, then they are in the copy', async () => {
    const folder = join(temporaryFolder(), 'restored')
    await restoreStore(folderOfFormat3Unmerged(), folder, { replace: false, verify: false, report: () => {} })
    await expectUnmerged(await benchIn(folder).open())
  })
})
