/**
 * A process that opens damaged copies of a store, which LMDB may not survive:
 *
 *     node damaged-store-process.ts FOLDER SEED FIRST LAST
 *
 * FOLDER/whole holds the data file. For each number it says `case N KIND`, damages a copy in FOLDER/copy, opens it, reads
 * all that it holds, changes and cuts it, and says `refused`, `unreadable`, `unwritable` or `fine`, with the reason.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { message, session, subscription } from '../../suite/samples.ts'
import { StoreBench, type OpenStore } from '../../suite/open-store.ts'
import { LmdbStore } from '../lmdb-store.ts'
import { StoreError } from '../store-error.ts'
import { damage } from './damage.ts'

const [folder = '', seed = '0', first = '0', last = '0'] = process.argv.slice(2)
const whole = readFileSync(join(folder, 'whole', 'data.mdb'))

for (let number = Number(first); number <= Number(last); number++) {
  const { kind, bytes } = damage(whole, Number(seed), number)
  const path = join(folder, 'copy')
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path)
  writeFileSync(join(path, 'data.mdb'), bytes)
  say(`case ${number} ${kind}`)
  say(await outcomeOf(path))
}

async function outcomeOf(path: string): Promise<string> {
  const bench = new StoreBench({ store: () => new LmdbStore({ path }) })
  let opened: OpenStore
  try {
    opened = await bench.open()
  } catch (error) {
    if (error instanceof StoreError && (error.code === 'damaged' || error.code === 'format')) return `refused: ${error.message}`
    return `REFUSED WITHOUT A REASON: ${String(error)}`
  }
  const unread = await failureOf(() => readEverything(opened))
  const unwritten = await failureOf(() => changeEverything(opened))
  const unclosed = await failureOf(() => bench.close())
  if (unread !== undefined) return `unreadable: ${unread}`
  if (unwritten !== undefined || unclosed !== undefined) return `unwritable: ${unwritten ?? unclosed}`
  return 'fine'
}

async function readEverything(opened: OpenStore): Promise<void> {
  for (const { queue } of opened.contents.queues) await opened.readAll([{ queue, after: 0 }])
  await opened.readAll(opened.contents.queues.map(({ queue }) => ({ queue, after: 0 })))
  await opened.scanRetained('#')
}

async function changeEverything(opened: OpenStore): Promise<void> {
  const { store, contents } = opened
  const queues = contents.queues.map(({ queue }) => queue)
  for (let count = 0; count < 20; count++) store.append(message(`new/${count}`, Buffer.alloc(count * 300)), queues)
  for (const { session: held } of contents.sessions) {
    store.putSession(session(held.clientId))
    store.putSubscription(held.clientId, subscription('new/#'))
  }
  store.putRetained(message('retained/0'), store.lastSequence)
  await opened.allCommitted()
  for (const { queue } of contents.queues) store.trimQueue(queue, store.lastSequence - 5)
  for (const { session: held } of contents.sessions) store.deleteSession(held.clientId)
  await opened.allCommitted()
}

async function failureOf(action: () => Promise<void>): Promise<string | undefined> {
  try {
    await action()
    return undefined
  } catch (error) {
    return error instanceof Error && error.cause instanceof Error ? `${error.message} (${error.cause.message})` : String(error)
  }
}

function say(line: string): void {
  writeSync(1, `${line.replaceAll('\n', ' ')}\n`)
}
process.exit(0)
