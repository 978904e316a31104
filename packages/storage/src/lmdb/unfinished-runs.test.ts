import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { message } from '../suite/samples.ts'
import { LmdbStore } from './lmdb-store.ts'
import { StoreProcess } from './testing/run-store-process.ts'
import { benchIn, temporaryFolder } from './testing/temporary-store.ts'

const PAGE = 4_096

/** A file that is too large to be looked at as a whole each time, and of which one page that holds only a message is damaged. */
async function damagedFolder(): Promise<string> {
  const path = temporaryFolder()
  const bench = benchIn(path)
  const opened = await bench.open()
  const queue = opened.store.openQueue('#')
  for (let count = 0; count < 20; count++) opened.store.append(message('t', Buffer.alloc(2 ** 21, 0x77)), [queue])
  await opened.allCommitted()
  await bench.close()
  const file = join(path, 'data.mdb')
  const page = pageOfMessage(readFileSync(file))
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.alloc(PAGE, 0xa5), 0, PAGE, page * PAGE)
  closeSync(descriptor)
  return path
}

/** The first page of those that hold nothing but one message: behind its header, the message follows. */
function pageOfMessage(bytes: Buffer): number {
  const OVERFLOW = 0x04
  for (let page = 2; page * PAGE < bytes.length; page++) {
    if (bytes.readUInt32LE(page * PAGE) === page && bytes.readUInt16LE(page * PAGE + 18) === OVERFLOW) return page
  }
  throw new Error('there is none')
}

const open = (path: string): Promise<unknown> =>
  new LmdbStore({ path }).open({ onCommitted() {}, onCommitFailed() {} }).catch((error: unknown) => error)

async function openAndKill(path: string): Promise<void> {
  const process = new StoreProcess([path])
  await process.says('open')
  await process.kill()
}

test('given two runs that were killed one after another, then a page that is damaged is found before the third', async () => {
  const path = await damagedFolder()
  await openAndKill(path)
  await openAndKill(path)
  const refusal = await open(path)
  expect(refusal).toMatchObject({ code: 'damaged' })
  expect(String(refusal)).toMatch(/page \d+ of the table "log"/)
  expect(await open(path)).toMatchObject({ code: 'damaged' })
})

test('given that each run ends in order, then pages of messages are trusted', async () => {
  const path = await damagedFolder()
  const bench = benchIn(path)
  for (let count = 0; count < 3; count++) {
    await bench.open()
    expect(existsSync(join(path, 'running'))).toBe(true)
    await bench.close()
    expect(existsSync(join(path, 'running'))).toBe(false)
  }
  await openAndKill(path)
  await bench.open()
})

test('given nothing wrong with the file, then it is opened after any number of kills', async () => {
  const path = temporaryFolder()
  for (let count = 0; count < 4; count++) await openAndKill(path)
  await benchIn(path).open()
})
