import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { message } from '../suite/samples.ts'
import { GATE_NAME, OpeningGate } from './opening-gate.ts'
import { checkStore } from './store-tools/check-store.ts'
import { StoreProcess } from './testing/run-store-process.ts'
import { benchIn, countsIn, temporaryFolder } from './testing/temporary-store.ts'

const NO_WAIT_MS = 0
const A_SHARE = 'BEGIN; SELECT 1 FROM sqlite_schema'
const OPENING = new URL('testing/opening-process.ts', import.meta.url)

test('given someone who opens the file, then it is not changed', () => {
  const { folder, gate } = gateIn(NO_WAIT_MS)
  const done: string[] = []
  OpeningGate.alone(folder, () => {
    expect(() => gate.share(() => done.push('changed'))).toThrow(
      /^cannot use .*opening\.lock, by which processes keep out of each other's way: database is locked$/
    )
    done.push('opened')
  })
  gate.share(() => done.push('changed'))
  expect(done).toEqual(['opened', 'changed'])
})

test('given someone who changes the file, then it is not opened, and others may change it', () => {
  const { folder, gate } = gateIn(NO_WAIT_MS)
  const { gate: other } = gateIn(NO_WAIT_MS, folder)
  const done: string[] = []
  gate.share(() => {
    expect(() => OpeningGate.alone(folder, () => done.push('opened'), NO_WAIT_MS)).toThrow(/: database is locked$/)
    other.share(() => done.push('changed by another'))
    done.push('changed')
  })
  OpeningGate.alone(folder, () => done.push('opened'), NO_WAIT_MS)
  expect(done).toEqual(['changed by another', 'changed', 'opened'])
})

test('given a change, or an opening, that fails, then the next does not wait for it', () => {
  const { folder, gate } = gateIn(NO_WAIT_MS)
  const fail = (): never => {
    throw new Error('it fails')
  }
  expect(() => gate.share(fail)).toThrow('it fails')
  expect(() => OpeningGate.alone(folder, fail, NO_WAIT_MS)).toThrow('it fails')
  expect(gate.share(() => 'changed')).toBe('changed')
})

test('given a folder where no broker has been, then nothing is made to open what is there', () => {
  const folder = temporaryFolder()
  expect(OpeningGate.alone(folder, () => 'opened')).toBe('opened')
  expect(readdirSync(folder)).toEqual([])
})

test('given someone who opens the file of a store, then commits are durable meanwhile, and merged into it thereafter', async () => {
  const path = temporaryFolder()
  const opened = await benchIn(path).open()
  const queue = opened.store.openQueue('#')
  const someone = databaseAt(path)
  someone.exec('BEGIN EXCLUSIVE')
  for (let count = 0; count < 50; count++) {
    opened.store.append(message('t', new Uint8Array(16_000)), [queue])
    await opened.allCommitted()
  }
  expect((await countsIn(path)).bodies).toBe(0)
  someone.exec('COMMIT')
  await expect.poll(async () => (await countsIn(path)).bodies).toBe(50)
})

test('given a transaction on the file of a store, then who opens it waits for its end', async () => {
  const path = temporaryFolder()
  const bench = benchIn(path)
  await bench.open()
  await bench.close()
  const someone = databaseAt(path)
  someone.exec(A_SHARE)
  const opener = new StoreProcess([path], [], OPENING)
  onTestFinished(() => opener.kill())
  // Who waits lets no further ones in.
  await expect.poll(() => isShut(path), { timeout: 10_000 }).toBe(true)
  expect(opener.said).toEqual([])
  someone.exec('COMMIT')
  await opener.says('opened')
})

// Without the gate many runs lose some commits, or damage the file.
test('given processes that open a store all the time while it is written to, then nothing is lost of it', async () => {
  const path = join(temporaryFolder(), 'store')
  const writer = new StoreProcess([path, 300_000, 300])
  onTestFinished(() => writer.kill())
  await writer.says('committed')
  const openers = Array.from({ length: 6 }, () => new StoreProcess([path], [], OPENING))
  onTestFinished(async () => void (await Promise.all(openers.map((opener) => opener.kill()))))
  await Promise.all([writer.says('done'), ...openers.map((opener) => opener.says('opened'))])
  for (const opener of openers) {
    await opener.end()
    expect(await opener.status()).toBe(0)
  }
  await writer.end()
  const findings: string[] = []
  const summary = await checkStore(path, (what) => void findings.push(what))
  expect(findings).toEqual([])
  expect(summary?.messages).toBe(300_000)
}, 60_000)

/** For another process: SQLite does not ask the kernel for what this one has. */
function isShut(folder: string): boolean {
  const script = `
    const database = new (require('node:sqlite').DatabaseSync)(${JSON.stringify(join(folder, GATE_NAME))}, { timeout: 0 })
    try { database.exec(${JSON.stringify(A_SHARE)}) } catch { process.exitCode = 1 }`
  return spawnSync(process.execPath, ['--eval', script]).status === 1
}

/** Whoever has the gate of a store, from outside. */
function databaseAt(folder: string): DatabaseSync {
  const database = new DatabaseSync(join(folder, GATE_NAME))
  onTestFinished(() => database.close())
  return database
}

function gateIn(waitMs: number, folder = temporaryFolder()): { readonly folder: string; readonly gate: OpeningGate } {
  const gate = OpeningGate.make(folder, waitMs)
  onTestFinished(() => gate.release())
  return { folder, gate }
}
