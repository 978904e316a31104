import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as lmdb from 'lmdb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { samples } from '../outbox-suite/samples.ts'
import { Random } from '../outbox-suite/random.ts'
import { ByteWriter } from './bytes.ts'
import { writeMessage } from './message-codec.ts'
import { OutboxFailure } from './outbox-failure.ts'
import { OutboxFile } from './outbox-file.ts'
import { RecordKind, recordKey } from './outbox-records.ts'
import type { EncodedChanges } from './thread-messages.ts'
import { benchIn, temporaryFolder } from './testing/temporary-outbox.ts'

const PAGE = 4_096
/** In the header of the first page of a value that has pages of its own. */
const OVERFLOW_PAGE = 0x04
const PAGE_HEADER = 24
const NODE_HEADER = 8
/** In a meta page. */
const FREE_TREE_FLAGS = 52
const FREE_TREE_ROOT = 88
const MAIN_TREE_ROOT = 136
const LAST_PAGE = 144
const TRANSACTION = 152
const NOTHING: EncodedChanges = {
  clientId: undefined,
  put: { sequences: [], lengths: [], values: new Uint8Array(0) },
  release: [],
  remove: [],
  received: [],
  forgotten: []
}

describe('what cannot be an outbox', () => {
  test('given a file in the place of the folder, then it says so', async () => {
    const path = join(temporaryFolder(), 'file')
    writeFileSync(path, '')
    expect(await refusalOf(path)).toBe(`cannot use ${path}: it is not a directory`)
    expect(await refusalOf(join(path, 'outbox'))).toBe(
      `cannot use ${join(path, 'outbox')}: a part of its path is not a directory`
    )
  })

  test('given a folder with an LMDB file of something else, then it is left alone', async () => {
    const path = temporaryFolder()
    const database = lmdb.open(path, { noSubdir: false })
    await database.put('key', 'value')
    await database.close()
    const before = readFileSync(join(path, 'data.mdb'))
    expect(await refusalOf(path)).toMatch(
      /holds something other than an outbox of Godwit's client: give the outbox a folder of its own$/
    )
    expect(readFileSync(join(path, 'data.mdb')).equals(before)).toBe(true)
  })

  test('given an outbox of a later format, then it names both', async () => {
    const path = temporaryFolder()
    const bench = benchIn(path)
    await bench.open()
    await bench.close()
    const database = lmdb.open<Uint8Array, Buffer>(path, { noSubdir: false, encoding: 'binary', keyEncoding: 'binary' })
    const format = new ByteWriter()
    format.text('godwit-outbox')
    format.varint(7)
    database.putSync(recordKey(RecordKind.Format), format.finish())
    await database.close()
    expect(await refusalOf(path)).toBe(
      `${path} holds an outbox of format 7, which a later version wrote; this version reads format 1`
    )
  })

  test('given that lmdb is not installed, then it says what to install', () => {
    const script = `
      import { fileOutbox } from ${JSON.stringify(import.meta.resolve('../file-outbox.ts'))}
      await fileOutbox(${JSON.stringify(temporaryFolder())}).open().catch((error) => console.log(error.code, error.message))`
    const withoutLmdb = `
      import { registerHooks } from 'node:module'
      registerHooks({ resolve(specifier, context, next) {
        if (specifier !== 'lmdb') return next(specifier, context)
        throw Object.assign(new Error('not here'), { code: 'ERR_MODULE_NOT_FOUND' })
      } })`
    const parameters = ['--conditions=godwit-source', '--import', `data:text/javascript,${encodeURIComponent(withoutLmdb)}`]
    const file = join(temporaryFolder(), 'script.mjs')
    writeFileSync(file, script)
    const { stdout } = spawnSync(process.execPath, [...parameters, file], { encoding: 'utf8' })
    expect(stdout).toBe('outbox-failed fileOutbox needs the package lmdb, which is not installed: npm install lmdb@3.5.6\n')
  })
})

describe('a file that does not hold what was written', () => {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-outbox-'))
  /** A file up to the last page in use. */
  let whole = Buffer.alloc(0)

  beforeAll(async () => {
    const file = await OutboxFile.open(folder, lmdb)
    await putMessages(file, 1, 300, 200)
    await putMessages(file, 301, 330, 9_000)
    await file.commit({ ...NOTHING, remove: [1, 2, 3, 302, 303] })
    await file.close()
    const bytes = readFileSync(join(folder, 'data.mdb'))
    whole = bytes.subarray(0, (Math.floor(bytes.findLastIndex((byte) => byte !== 0) / PAGE) + 1) * PAGE)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.each([0, 100, PAGE, 2 * PAGE, 5 * PAGE, 40 * PAGE])(
    'given that only %d bytes of it are left, then it is refused, and left as it is',
    async (left) => {
      expect(left).toBeLessThan(whole.length)
      const path = folderWith(whole.subarray(0, left))
      expect(await refusalOf(path)).toMatch(/^the outbox is damaged: /)
      expect(readFileSync(join(path, 'data.mdb')).equals(whole.subarray(0, left))).toBe(true)
    }
  )

  test('given that a large message says it takes more pages than it does, then it is refused: LMDB would free them all', async () => {
    const bytes = Buffer.from(whole)
    const pages = Array.from({ length: bytes.length / PAGE }, (_, page) => page * PAGE)
    const first = pages.find((at) => bytes.readUInt16LE(at + 18) === OVERFLOW_PAGE)
    bytes.writeUInt8(0x6d, (first ?? NaN) + 23)
    expect(await refusalOf(folderWith(bytes))).toMatch(/^the outbox is damaged: .* begins another number of pages$/)
  })

  test('given that the list of free pages says it has keys of another kind, then it is refused: LMDB would ask it to compare them', async () => {
    const bytes = Buffer.from(whole)
    for (const meta of [0, PAGE]) bytes.writeUInt8(0xe6, meta + FREE_TREE_FLAGS + 1)
    expect(await refusalOf(folderWith(bytes))).toMatch(/^the outbox is damaged: .* a tree is of another kind$/)
  })

  test('given that it says more pages are in use than it can have, then it is refused: LMDB would ask for as much memory', async () => {
    const bytes = Buffer.from(whole)
    for (const meta of [0, PAGE]) bytes.writeBigUInt64LE(2_200_000_000_000_000_000n, meta + LAST_PAGE)
    expect(await refusalOf(folderWith(bytes))).toMatch(
      /^the outbox is damaged: .* page 2200000000000000000 is said to be in use$/
    )
  })

  test('given a list of free pages with one that is in use, then it is refused: LMDB would write over it', async () => {
    const bytes = Buffer.from(whole)
    const [first, second] = [0, PAGE].map((meta) => bytes.readBigUInt64LE(meta + TRANSACTION))
    const newest = (first ?? 0n) > (second ?? 0n) ? 0 : PAGE
    const used = bytes.readBigUInt64LE(newest + MAIN_TREE_ROOT)
    const leaf = Number(bytes.readBigUInt64LE(newest + FREE_TREE_ROOT)) * PAGE
    const node = leaf + PAGE_HEADER + bytes.readUInt16LE(leaf + PAGE_HEADER)
    const list = node + NODE_HEADER + bytes.readUInt16LE(node + 6)
    expect(bytes.readBigInt64LE(list)).toBeGreaterThan(0n)
    bytes.writeBigInt64LE(used, list + 8)
    expect(await refusalOf(folderWith(bytes))).toMatch(/^the outbox is damaged: .* is used twice$/)
  })

  const seed = Math.floor(Math.random() * 1_000_000)

  test(`given pages that are scribbled over, or bits that are flipped (seed ${seed}), then it is refused, or read and written without harm to the process`, async () => {
    const random = new Random(seed)
    const outcomes: string[] = []
    for (let attempt = 0; attempt < 150; attempt++) {
      const bytes = Buffer.from(whole)
      const page = random.below(bytes.length / PAGE)
      if (attempt % 2 === 0) for (let at = 0; at < PAGE; at++) bytes[page * PAGE + at] = random.below(256)
      // Where a page says what it has.
      else bytes[page * PAGE + random.below(64)] = random.below(256)
      outcomes.push(await outcomeOf(folderWith(bytes)))
    }
    expect(outcomes.filter((outcome) => outcome === 'refused').length).toBeGreaterThan(20)
    expect(outcomes.filter((outcome) => outcome === 'usable').length).toBeGreaterThan(0)
  })
})

async function refusalOf(path: string): Promise<string> {
  const error: unknown = await benchIn(path)
    .open()
    .catch((reason: unknown) => reason)
  expect(error).toMatchObject({ name: 'ClientError', code: 'outbox-failed' })
  return error instanceof Error ? error.message : ''
}

/** Opens it, reads and removes all that it holds, and puts something. */
async function outcomeOf(path: string): Promise<string> {
  const file = await OutboxFile.open(path, lmdb).catch((error: unknown) => error)
  if (!(file instanceof OutboxFile)) {
    expect(file).toBeInstanceOf(OutboxFailure)
    return 'refused'
  }
  try {
    const { messages } = await file.read(0, { messages: 1_000, bytes: Infinity })
    await putMessages(file, 1_001, 1_020, 500)
    await file.commit({ ...NOTHING, remove: messages.sequences })
    return 'usable'
  } catch (error) {
    return error instanceof Error ? 'unusable' : 'strange'
  } finally {
    await file.close()
  }
}

async function putMessages(file: OutboxFile, first: number, last: number, payloadBytes: number): Promise<void> {
  const put = samples(first, last, { payload: new Uint8Array(payloadBytes) })
  const writer = new ByteWriter()
  const lengths = put.map((message) => {
    const start = writer.length
    writeMessage(writer, message)
    return writer.length - start
  })
  await file.commit({ ...NOTHING, put: { sequences: put.map(({ sequence }) => sequence), lengths, values: writer.finish() } })
}

function folderWith(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), 'outbox')
  mkdirSync(path)
  writeFileSync(join(path, 'data.mdb'), bytes)
  return path
}
