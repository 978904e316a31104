import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { message, session } from '../../suite/samples.ts'
import { openTables } from '../tables.ts'
import { recordKey, RecordKind } from '../layout.ts'
import { StoreProcess } from '../testing/run-store-process.ts'
import { benchIn, temporaryFolder } from '../testing/temporary-store.ts'
import { backupStore } from './backup-store.ts'
import { checkStore } from './check-store.ts'
import { restoreStore } from './restore-store.ts'

const silently = { verify: true, report: (): void => undefined }

describe('a backup of a store that a broker writes to', () => {
  test('given commits back to back, then each backup is a moment between two of them', async () => {
    const path = join(temporaryFolder(), 'store')
    const writer = new StoreProcess([path, 200_000, 300])
    onTestFinished(() => writer.kill())
    await writer.says('committed')
    const reached: number[] = []
    for (const name of ['first', 'second', 'third']) {
      const target = join(temporaryFolder(), name)
      const acknowledged = await newestOf(writer)
      const { summary } = await backupStore(path, target, silently)
      expect(summary?.unreadQueues).toEqual(['#'])
      expect(readdirSync(target)).toEqual(['data.mdb'])
      const restored = join(temporaryFolder(), 'restored')
      await restoreStore(target, restored, { ...silently, replace: false })
      reached.push(await expectOneMoment(restored, acknowledged))
    }
    expect(reached.toSorted((a, b) => a - b)).toEqual(reached)
    // The writer was not disturbed.
    await writer.says('committed')
    await writer.kill()
    expect(writer.said.some((line) => line.startsWith('failed'))).toBe(false)
    const { contents } = await benchIn(path).open()
    expect(contents.sessions[0]?.progress.cursor).toBeGreaterThanOrEqual(writer.acknowledged)
  }, 60_000)

  test('given messages that were cut, then the copy is without the room that they took', async () => {
    const path = temporaryFolder()
    const opened = await benchIn(path).open()
    const queue = opened.store.openQueue('#')
    for (let count = 0; count < 1_000; count++) opened.store.append(message('t', new Uint8Array(1_000)), [queue])
    await opened.allCommitted()
    opened.store.trimQueue(queue, opened.store.lastSequence)
    await opened.allCommitted()
    const sizeOfCopy = async () => (await backupStore(path, join(temporaryFolder(), 'copy'), silently)).bytes
    await expect.poll(sizeOfCopy).toBeLessThan(100_000)
  })
})

describe('a backup that cannot be made', () => {
  test('given something at the target, then it stays as it is', async () => {
    const path = await storeOf('c')
    const target = join(temporaryFolder(), 'copy')
    await backupStore(path, target, silently)
    const before = readFileSync(join(target, 'data.mdb'))
    await expect(backupStore(path, target, silently)).rejects.toThrow(`${target} exists; accepted is a path where there is`)
    expect(readFileSync(join(target, 'data.mdb')).equals(before)).toBe(true)
    await expect(backupStore(path, join(target, 'none/copy'), silently)).rejects.toThrow(
      /none does not exist; accepted is a path in a folder that does/
    )
    await expect(backupStore(temporaryFolder(), join(target, 'copy'), silently)).rejects.toThrow(/holds no store/)
  })

  test('given a store that is not sound, then nothing is left, unless nobody looks', async () => {
    const path = await storeOf('c')
    const tables = openTables(path)
    tables.records.putSync(recordKey(RecordKind.Totals), Buffer.from([0, 0, 9]))
    await tables.root.close()
    const folder = temporaryFolder()
    const findings: string[] = []
    const options = { verify: true, report: (what: string): void => void findings.push(what) }
    await expect(backupStore(path, join(folder, 'copy'), options)).rejects.toThrow(/was not made: the copy of the store is not/)
    expect(findings.length).toBeGreaterThan(0)
    expect(readdirSync(folder)).toEqual([])
    await backupStore(path, join(folder, 'copy'), { ...options, verify: false })
    expect(readdirSync(folder)).toEqual(['copy'])
  })

  test.skipIf(process.getuid?.() === 0)('given a folder that cannot be written to, then the error says so', async () => {
    const path = await storeOf('c')
    const folder = temporaryFolder()
    chmodSync(folder, 0o500)
    onTestFinished(() => chmodSync(folder, 0o700))
    await expect(backupStore(path, join(folder, 'copy'), silently)).rejects.toThrow(/cannot write .*: permission denied/)
  })
})

describe('a backup that is restored', () => {
  test('given a folder that holds a store, then it is refused, or set aside if that is wanted', async () => {
    const folder = await storeOf('now')
    const target = join(temporaryFolder(), 'copy')
    await backupStore(await storeOf('then'), target, silently)
    await expect(restoreStore(target, folder, { ...silently, replace: false })).rejects.toThrow(/holds a store; .* or --replace/)
    expect(await clientsOf(folder)).toEqual(['now'])
    const { replaced } = await restoreStore(target, folder, { ...silently, replace: true })
    expect(await clientsOf(folder)).toEqual(['then'])
    expect(replaced?.startsWith(join(folder, 'replaced-'))).toBe(true)
    expect(await clientsOf(replaced ?? '')).toEqual(['now'])
  })

  test('given a folder that is in use, then it is refused, and the broker goes on', async () => {
    const target = join(temporaryFolder(), 'copy')
    await backupStore(await storeOf('then'), target, silently)
    const path = join(temporaryFolder(), 'store')
    const broker = new StoreProcess([path, 1, 1])
    onTestFinished(() => broker.kill())
    await broker.says('done')
    await expect(restoreStore(target, path, { ...silently, replace: true })).rejects.toThrow(/is in use by another broker/)
    await broker.end()
    expect(await clientsOf(path)).toEqual(['c'])
  })

  test('given a backup that was damaged, then the folder is as it was', async () => {
    const target = join(temporaryFolder(), 'copy')
    await backupStore(await storeOf('then'), target, silently)
    const bytes = readFileSync(join(target, 'data.mdb'))
    writeFileSync(join(target, 'data.mdb'), bytes.subarray(0, bytes.length / 2))
    const folder = join(temporaryFolder(), 'store')
    await expect(restoreStore(target, folder, { ...silently, replace: false })).rejects.toThrow(/the store is damaged/)
    expect(existsSync(folder)).toBe(false)
    const held = await storeOf('now')
    await expect(restoreStore(target, held, { ...silently, replace: true })).rejects.toThrow(/the store is damaged/)
    expect(await clientsOf(held)).toEqual(['now'])
    expect(readdirSync(held).sort()).toEqual(['data.mdb', 'in-use.lock', 'lock.mdb', 'opening.lock'])
  })

  test('given a folder with other things, and what a restore that was killed left, then the former stay', async () => {
    const target = join(temporaryFolder(), 'copy')
    await backupStore(await storeOf('then'), target, silently)
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'notes'), '')
    mkdirSync(join(folder, 'incoming'))
    writeFileSync(join(folder, 'incoming/data.mdb'), 'half')
    await restoreStore(target, folder, { ...silently, replace: false })
    expect(await clientsOf(folder)).toEqual(['then'])
    expect(readdirSync(folder).sort()).toEqual(['data.mdb', 'in-use.lock', 'lock.mdb', 'notes', 'opening.lock'])
  })

  test('given a backup of an earlier format, then the copy is of the present one', async () => {
    const backup = temporaryFolder()
    const packed = readFileSync(new URL('../testing/store-format-1.base64', import.meta.url), 'utf8')
    writeFileSync(join(backup, 'data.mdb'), gunzipSync(Buffer.from(packed, 'base64')))
    const folder = join(temporaryFolder(), 'store')
    // What it has of everything was not all written by a broker.
    const findings: string[] = []
    const report = (what: string): void => void findings.push(what)
    await expect(restoreStore(backup, folder, { replace: false, verify: true, report })).rejects.toThrow(/--no-verify restores/)
    expect(findings.length).toBeGreaterThan(0)
    await restoreStore(backup, folder, { replace: false, verify: false, report })
    expect(await clientsOf(folder)).toEqual(await clientsOf(backup))
    expect(await checkStore(folder, () => undefined)).toMatchObject({ formatVersion: 4 })
  })
})

/** The folder of a store with one session. */
async function storeOf(clientId: string): Promise<string> {
  const path = temporaryFolder()
  const bench = benchIn(path)
  const { store } = await bench.open()
  store.putSession(session(clientId))
  await bench.close()
  return path
}

async function clientsOf(path: string): Promise<string[]> {
  const bench = benchIn(path)
  const { contents } = await bench.open()
  await bench.close()
  return contents.sessions.map((held) => held.session.clientId)
}

/** The last sequence number that the process has acknowledged by now, about. */
async function newestOf(writer: StoreProcess): Promise<number> {
  await writer.says('committed')
  return writer.acknowledged
}

/** In each commit the session's cursor is at the last message: so it is here, and none before is missing. */
async function expectOneMoment(path: string, acknowledged: number): Promise<number> {
  const bench = benchIn(path)
  const { store, contents } = await bench.open()
  const cursor = contents.sessions[0]?.progress.cursor ?? 0
  expect(cursor).toBeGreaterThanOrEqual(acknowledged)
  const queue = store.openQueue('#')
  let after = 0
  for (;;) {
    const entries = await store.read([{ queue, after }], 1_000)
    if (entries.length === 0) break
    expect(entries.map(({ sequence }) => sequence)).toEqual(entries.map((_, index) => after + 1 + index))
    after += entries.length
  }
  expect(after).toBe(cursor)
  await bench.close()
  return cursor
}
