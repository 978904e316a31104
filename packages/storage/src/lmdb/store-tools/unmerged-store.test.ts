import { cpSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { JOURNAL_NAMES } from '../journal-record.ts'
import { setAside } from '../set-aside.ts'
import { StoreProcess } from '../testing/run-store-process.ts'
import { benchIn, temporaryFolder } from '../testing/temporary-store.ts'
import { backupStore } from './backup-store.ts'
import { checkStore } from './check-store.ts'
import { exportStore } from './export-store.ts'
import { restoreStore } from './restore-store.ts'

const silently = { verify: true, report: (): void => undefined }

/** A folder that a killed process has left, with commits that are in the journal alone, and the last that it acknowledged. */
async function leftBehind(): Promise<{ path: string; acknowledged: number }> {
  const path = temporaryFolder()
  const writer = new StoreProcess([path, 500, 300])
  onTestFinished(() => writer.kill())
  await writer.says('done')
  await writer.kill()
  expect(await reached(path)).toBe(500)
  return { path, acknowledged: 500 }
}

/** Up to where a copy of the store has messages, without its journal. */
async function reached(path: string, keepsJournal = true): Promise<number> {
  const copy = temporaryFolder()
  cpSync(path, copy, { recursive: true, filter: (file) => keepsJournal || !JOURNAL_NAMES.some((name) => file.endsWith(name)) })
  const bench = benchIn(copy)
  const opened = await bench.open()
  const { queue = 0 } = opened.contents.queues[0] ?? {}
  const last = (await opened.readAll([{ queue, after: 0 }], 1_000)).at(-1)?.sequence ?? 0
  await bench.close()
  return last
}

test('given commits that only the journal has, then a check finds nothing, and counts them', async () => {
  const { path, acknowledged } = await leftBehind()
  expect(await reached(path, false)).toBeLessThan(acknowledged)
  const findings: string[] = []
  const summary = await checkStore(path, (what) => findings.push(what))
  expect(findings).toEqual([])
  expect(summary).toMatchObject({ messages: acknowledged, sessions: 1, queues: 1 })
  expect(JOURNAL_NAMES.every((name) => existsSync(join(path, name)))).toBe(true)
})

test('given commits that only the journal has, then a backup is one file with all of them', async () => {
  const { path, acknowledged } = await leftBehind()
  const target = join(temporaryFolder(), 'backup')
  const { summary } = await backupStore(path, target, silently)
  expect(summary?.messages).toBe(acknowledged)
  expect(readdirSync(target)).toEqual(['data.mdb'])
  expect(await reached(target)).toBe(acknowledged)
})

test('given commits that only the journal has, then an export has their messages, and how far sessions have come', async () => {
  const { path, acknowledged } = await leftBehind()
  let text = ''
  for await (const chunk of exportStore(path, { salvage: undefined })) text += chunk
  const lines = text.trim().split('\n')
  expect(lines.filter((line) => line.startsWith('{"kind":"message"')).length).toBe(acknowledged)
  expect(lines.some((line) => line.includes(`"cursor":${acknowledged}`))).toBe(true)
})

test('given a store with a journal that another replaces, or that is set aside, then its journal goes along', async () => {
  const { path, acknowledged } = await leftBehind()
  const backup = join(temporaryFolder(), 'backup')
  const empty = temporaryFolder()
  const bench = benchIn(empty)
  await bench.open()
  await bench.close()
  await backupStore(empty, backup, silently)
  const { replaced = '' } = await restoreStore(backup, path, { ...silently, replace: true })
  expect(await reached(replaced)).toBe(acknowledged)
  expect(JOURNAL_NAMES.some((name) => existsSync(join(path, name)))).toBe(false)
  expect(await reached(path)).toBe(0)
  expect(await reached(setAside(replaced))).toBe(acknowledged)
})
