import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { StoreBench } from '../suite/open-store.ts'
import { fullMessage, message, session } from '../suite/samples.ts'
import { checkDataFile } from './check-data-file.ts'
import { ByteWriter } from './byte-writer.ts'
import { recordKey, RecordKind } from './layout.ts'
import { LmdbStore } from './lmdb-store.ts'
import { StoreError } from './store-error.ts'
import { openTables } from './tables.ts'
import { StoreProcess } from './testing/run-store-process.ts'
import { benchIn, temporaryFolder } from './testing/temporary-store.ts'

const PAGE = 4_096
/** In the header of the first page of a value that has pages of its own. */
const OVERFLOW_PAGE = 0x04
/** In a meta page. */
const FREE_TREE_FLAGS = 52
const LAST_PAGE = 144
const MAIN_TREE_ROOT = 136
/** In a node. */
const NODE_FLAGS = 4
const NODE_HEADER = 8

describe('a folder that is in use', () => {
  test('given a process that has it open, then a second is refused, until the first is killed', async () => {
    const path = temporaryFolder()
    const holder = new StoreProcess([path])
    onTestFinished(() => holder.kill())
    await holder.says('open')
    expect(await refusalOf(path)).toMatch(new RegExp(`^in-use: .*${path}`))
    await holder.kill()
    await benchIn(path).open()
  })

  test('given a store of this process that has it open, then a second is refused, until the first is closed', async () => {
    const path = temporaryFolder()
    const bench = benchIn(path)
    await bench.open()
    expect(await refusalOf(path)).toMatch(/^in-use: /)
    expect(await refusalOf(path)).toMatch(/^in-use: /)
    await bench.close()
    await bench.open()
  })
})

describe('a folder that cannot be used', () => {
  test('given a file in its place, then the error says so', async () => {
    const path = join(temporaryFolder(), 'file')
    writeFileSync(path, '')
    expect(await refusalOf(path)).toMatch(new RegExp(`^failed: .*${path}`))
  })

  test('given a later format, then the error names both, and the folder can be used by who reads it', async () => {
    const path = temporaryFolder()
    const bench = benchIn(path)
    await bench.open()
    await bench.close()
    const writeVersion = async (version: number): Promise<void> => {
      const tables = openTables(path)
      const writer = new ByteWriter()
      writer.text('godwit-store')
      writer.varint(version)
      tables.records.putSync(recordKey(RecordKind.Format), writer.copy())
      await tables.root.close()
    }
    await writeVersion(7)
    expect(await refusalOf(path)).toMatch(/^format: .*format 7\b.*format 4\b/)
    await writeVersion(0)
    expect(await refusalOf(path)).toMatch(/^damaged: .*format 0\b/)
    await writeVersion(4)
    await bench.open()
  })

  test('given an LMDB file of something else, then it is not taken for a store', async () => {
    const path = temporaryFolder()
    const tables = openTables(path)
    tables.records.putSync(Buffer.from('k'), Buffer.from('v'))
    await tables.root.close()
    expect(await refusalOf(path)).toMatch(/^damaged: /)
  })
})

describe('a file that does not hold what was written', () => {
  const filled = mkdtempSync(join(tmpdir(), 'godwit-store-'))
  const whole = join(filled, 'data.mdb')

  beforeAll(() => fill(filled))
  afterAll(() => rmSync(filled, { recursive: true, force: true }))

  test('given nothing wrong, then nothing is found', () => {
    expect(() => checkDataFile(whole)).not.toThrow()
  })

  test.each([0, 1, 100, PAGE, 2 * PAGE, 0.5, 0.9])(
    'given that only this much of it is left, in bytes or as a share: %d, then it is refused and left as it is',
    async (left) => {
      const path = folderWith(whole)
      const file = join(path, 'data.mdb')
      const { size } = statSync(file)
      truncateSync(file, left > 0 && left < 1 ? Math.round((size * left) / PAGE) * PAGE : left)
      await expectDamaged(path)
    }
  )

  test.each([
    ['the first meta page', 0],
    ['the second meta page', 1]
  ])('given scribbles on %s, then it is refused and left as it is', async (_, page) => {
    const path = folderWith(whole)
    scribble(join(path, 'data.mdb'), page)
    await expectDamaged(path)
  })

  test('given scribbles on any page, then it is refused, or opens as it was where only messages are affected', async () => {
    const pages = statSync(whole).size / PAGE
    let refused = 0
    for (let page = 2; page < pages; page++) {
      const path = folderWith(whole)
      const file = join(path, 'data.mdb')
      scribble(file, page)
      try {
        checkDataFile(file)
      } catch (error) {
        expect(error).toMatchObject({ code: 'damaged' })
        refused++
        continue
      }
      const bench = benchIn(path)
      try {
        expect((await bench.open()).contents.sessions.length).toBe(50)
      } catch (error) {
        expect(error).toMatchObject({ code: 'damaged' })
        refused++
      }
      await bench.close()
    }
    expect(refused).toBeGreaterThan(3)
  })

  test('given that a large message says it takes more pages than it does, then that is found: LMDB would free them all', () => {
    const file = join(folderWith(whole), 'data.mdb')
    const bytes = readFileSync(file)
    const pages = Array.from({ length: bytes.length / PAGE }, (_, page) => page * PAGE)
    const first = pages.find((at) => bytes.readUInt16LE(at + 18) === OVERFLOW_PAGE)
    bytes.writeUInt8(0x6d, (first ?? NaN) + 23)
    writeFileSync(file, bytes)
    expect(() => checkDataFile(file)).toThrow(/begins another number of pages$/)
  })

  test('given that the list of free pages says it has keys of another kind, then that is found: LMDB would ask it to compare them', () => {
    const file = join(folderWith(whole), 'data.mdb')
    const bytes = readFileSync(file)
    for (const meta of [0, PAGE]) bytes.writeUInt8(0xe6, meta + FREE_TREE_FLAGS + 1)
    writeFileSync(file, bytes)
    expect(() => checkDataFile(file)).toThrow(/the list of free pages is of another kind$/)
  })

  test('given that it says more pages are in use than it can have, then that is found: LMDB would ask for as much memory', () => {
    const file = join(folderWith(whole), 'data.mdb')
    const bytes = readFileSync(file)
    for (const meta of [0, PAGE]) bytes.writeBigUInt64LE(2_200_000_000_000_000_000n, meta + LAST_PAGE)
    writeFileSync(file, bytes)
    expect(() => checkDataFile(file)).toThrow(/page 2200000000000000000 is said to be in use, and the file is \d+ bytes long$/)
  })

  test.each([
    ['that is called otherwise', NODE_HEADER, /there is no table "log"$/],
    ['that is none', NODE_FLAGS, /"log" is not a table$/]
  ])('given a table %s, then that is found: LMDB would make another, or refuse to open it', (_, at, reason) => {
    const file = join(folderWith(whole), 'data.mdb')
    const bytes = readFileSync(file)
    for (const meta of [0, PAGE]) {
      const node = bytes.indexOf('log', Number(bytes.readBigUInt64LE(meta + MAIN_TREE_ROOT)) * PAGE) - NODE_HEADER
      bytes.writeUInt8(bytes.readUInt8(node + at) ^ 2, node + at)
    }
    writeFileSync(file, bytes)
    expect(() => checkDataFile(file)).toThrow(reason)
  })

  test('given another LMDB data format, then the error names both', () => {
    const file = join(folderWith(whole), 'data.mdb')
    const bytes = readFileSync(file)
    bytes.writeUInt32LE(1, 28)
    writeFileSync(file, bytes)
    expect(() => checkDataFile(file)).toThrow(/format 1\b.* 2\b/)
  })
})

/** Sessions, and messages enough for branch pages, some of them in overflow pages. */
async function fill(path: string): Promise<void> {
  const bench = new StoreBench({ store: () => new LmdbStore({ path }) })
  const { store } = await bench.open()
  const queue = store.openQueue('#')
  for (let count = 0; count < 50; count++) {
    store.putSession(session(`client-${count}`))
    store.putReceived(`client-${count}`, 1, fullMessage('t'))
    store.append(message('t', new Uint8Array(count === 7 ? 20_000 : 300)), [queue])
  }
  await bench.close()
  cutToPages(join(path, 'data.mdb'))
}

function folderWith(file: string): string {
  const path = join(temporaryFolder(), 'copy')
  mkdirSync(path)
  cpSync(file, join(path, 'data.mdb'))
  return path
}

function scribble(file: string, page: number): void {
  const bytes = readFileSync(file)
  bytes.fill(0xa5, page * PAGE, (page + 1) * PAGE)
  writeFileSync(file, bytes)
}

async function expectDamaged(path: string): Promise<void> {
  const before = readFileSync(join(path, 'data.mdb'))
  expect(await refusalOf(path)).toMatch(/^damaged: /)
  expect(readFileSync(join(path, 'data.mdb')).equals(before)).toBe(true)
  expect(readdirSync(path).filter((name) => name !== 'in-use.lock')).toEqual(['data.mdb'])
}

/** Why a store cannot be opened there. */
async function refusalOf(path: string): Promise<string> {
  try {
    await new LmdbStore({ path }).open({ onCommitted() {}, onCommitFailed() {} })
  } catch (error) {
    if (error instanceof StoreError) return `${error.code}: ${error.message}`
    throw error
  }
  return 'it was opened'
}

/** Cuts off what the file has in advance. */
function cutToPages(file: string): void {
  const bytes = readFileSync(file)
  let { length } = bytes
  while (bytes[length - 1] === 0) length--
  truncateSync(file, Math.ceil(length / PAGE) * PAGE)
}
