import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { StoreBench } from '../../suite/open-store.ts'
import { message, progress, session, subscription } from '../../suite/samples.ts'
import { LmdbStore } from '../lmdb-store.ts'
import { StoreError } from '../store-error.ts'
import { damage } from '../testing/damage.ts'
import { StoreProcess } from '../testing/run-store-process.ts'
import { benchIn, countsIn, temporaryFolder } from '../testing/temporary-store.ts'
import { exportStore } from './export-store.ts'
import { importStore } from './import-store.ts'

const PAGE = 4_096
const MESSAGES = 200
const seed = Math.floor(Math.random() * 0x7f_ff_ff_ff)

const filled = mkdtempSync(join(tmpdir(), 'godwit-salvage-'))
let whole: Buffer = Buffer.alloc(0)
beforeAll(async () => {
  await fill(filled)
  whole = withoutZeros(readFileSync(join(filled, 'data.mdb')))
})
afterAll(() => rmSync(filled, { recursive: true, force: true }))

describe('what can be read of a damaged store', () => {
  test('given a scribbled page, whichever, then what is not on it is exported, and what was on it is told', async () => {
    const everything = countOf(await exportOf(filled))
    let partial = 0
    for (let page = 0; page * PAGE < whole.length; page++) {
      const path = folderOf(Buffer.from(whole).fill(0xa5, page * PAGE, (page + 1) * PAGE))
      const lost: string[] = []
      let count: Count
      try {
        count = countOf(await exportOf(path, lost))
      } catch (error) {
        expect(error).toMatchObject({ code: 'damaged' })
        continue
      }
      if (lost.length === 0) expect(count).toEqual(everything)
      else await expect(exportOf(path)).rejects.toThrow(/^the store is damaged: .*; --salvage exports what can be read$/)
      if (count['message'] !== everything['message'] && (count['message'] ?? 0) > 0) partial++
    }
    expect(partial).toBeGreaterThan(5)
  }, 60_000)

  test.each([0, 1])('given that meta page %d is scribbled, then next to nothing is lost', async (page) => {
    const path = folderOf(Buffer.from(whole).fill(0xa5, page * PAGE, (page + 1) * PAGE))
    const lost: string[] = []
    expect((countOf(await exportOf(path, lost))['message'] ?? 0) + 1).toBeGreaterThanOrEqual(MESSAGES)
    expect(lost.join('\n')).toMatch(new RegExp(`meta page ${page} is not one`))
  })

  test(`given damage of any kind, then what is exported can be imported, and opened (seed ${seed})`, async () => {
    let exported = 0
    for (let number = 0; number < 60; number++) {
      const path = folderOf(damage(whole, seed, number).bytes)
      const lost: string[] = []
      let text: string
      try {
        text = await exportOf(path, lost)
      } catch (error) {
        if (!(error instanceof StoreError)) throw error
        expect(['damaged', 'format'], `damage ${number}`).toContain(error.code)
        continue
      }
      exported++
      if (number % 6 !== 0) continue
      const copy = join(temporaryFolder(), 'copy')
      await importStore(bytesOf(text), copy)
      const { contents } = await benchIn(copy).open()
      expect(contents.sessions.length).toBeLessThanOrEqual(50)
    }
    expect(exported).toBeGreaterThan(20)
  }, 120_000)

  test('given a broker that is running on it, then it is not read page by page', async () => {
    const path = join(temporaryFolder(), 'store')
    const broker = new StoreProcess([path, 1, 1])
    onTestFinished(() => broker.kill())
    await broker.says('done')
    // What it merges later would be in the place of what is damaged here.
    await expect.poll(async () => (await countsIn(path)).bodies).toBe(1)
    const file = join(path, 'data.mdb')
    writeFileSync(file, readFileSync(file).fill(0xa5, 2 * PAGE), { flag: 'r+' })
    await expect(exportOf(path, [])).rejects.toThrow(/is in use by another broker/)
  })
})

type Count = Record<string, number>

/** Sessions with a subscription each, and messages in one queue. */
async function fill(path: string): Promise<void> {
  const bench = new StoreBench({ store: () => new LmdbStore({ path }) })
  const { store } = await bench.open()
  const queue = store.openQueue('#')
  for (let count = 0; count < 50; count++) {
    store.putSession(session(`client-${count}`))
    store.putSubscription(`client-${count}`, subscription('#'))
    store.touch({ kind: 'session', key: `client-${count}`, progress: () => progress(count) })
    store.putRetained(message(`r/${count}`, 'x'.repeat(200)), store.append(message('r'), []))
  }
  for (let count = 0; count < MESSAGES; count++) store.append(message('t', new Uint8Array(count === 7 ? 20_000 : 300)), [queue])
  await bench.close()
}

function folderOf(bytes: Uint8Array): string {
  const path = temporaryFolder()
  writeFileSync(join(path, 'data.mdb'), bytes)
  return path
}

/** @param lost takes what could not be read; undefined: everything must be read */
async function exportOf(path: string, lost?: string[]): Promise<string> {
  let text = ''
  const salvage = lost === undefined ? undefined : (what: string): void => void lost.push(what)
  for await (const chunk of exportStore(path, { salvage })) text += chunk
  return text
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

function countOf(exported: string): Count {
  const count: Count = {}
  for (const [, kind = ''] of exported.matchAll(/^\{"kind":"(\w+)"/gm)) count[kind] = (count[kind] ?? 0) + 1
  return count
}

/** Without what the file has in advance. */
function withoutZeros(bytes: Buffer): Buffer {
  let { length } = bytes
  while (bytes[length - 1] === 0) length--
  return bytes.subarray(0, Math.ceil(length / PAGE) * PAGE)
}
