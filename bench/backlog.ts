// What a backlog costs to hold, on the real program:
//   node --conditions=godwit-source bench/backlog.ts [--messages 1000000] [--sessions 10000]
// Works in a temporary folder, whose file system it names, and removes it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { drain, leaveSessions, publishAll } from './backlog/load.ts'
import { MeasuredBroker, type Memory } from './process/measured-broker.ts'

const { values } = parseArgs({
  options: { messages: { type: 'string', default: '1000000' }, sessions: { type: 'string', default: '10000' } }
})
const messages = Number(values.messages)
const sessions = Number(values.sessions)
if (!(messages >= 1000 && sessions >= 1)) throw new RangeError('--messages takes a number from 1000, --sessions one from 1')

const NAMES = {
  heapUsed: 'heap after a collection',
  external: 'buffers after a collection',
  anonymous: 'resident, its own (RssAnon)',
  file: 'resident, pages of files (RssFile)'
} as const
const PAYLOAD = new Uint8Array(64)
const OFFLINE = 20
const CYCLES = 5
/** So many messages go ahead, so that code is compiled, pools are filled, and the heap has grown to what the work takes. */
const WARM_UP = Math.ceil(messages / 5)

const folder = mkdtempSync(join(tmpdir(), 'godwit-backlog-'))
try {
  await queued()
  await retained()
  await broadcast()
  await startUp()
  await cycles()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function queued(): Promise<void> {
  const data = join(folder, 'queued')
  const broker = await MeasuredBroker.start({ data, collects: true })
  await leaveSessions(broker.port, OFFLINE, (session) => `queued/${session}`)
  await publishAll(broker.port, WARM_UP, () => 'queued/0', PAYLOAD, false)
  await drain(broker.port, 0, WARM_UP)
  const before = await broker.memory()
  const bytesBefore = broker.fileBytes
  const rate = await publishAll(broker.port, messages, (message) => `queued/${message % OFFLINE}`, PAYLOAD, false)
  report(
    `${number(messages)} messages for ${OFFLINE} offline sessions, ${number(rate)}/s`,
    messages,
    before,
    await broker.memory()
  )
  row('on disk, bytes per message', (broker.fileBytes - bytesBefore) / messages)
  await broker.stop()
  const again = await MeasuredBroker.start({ data, collects: true })
  row('started again in, ms', again.startMs)
  await drainAll(again.port)
  await again.stop()
}

async function drainAll(port: number): Promise<void> {
  const each = messages / OFFLINE
  const rates = await Promise.all(Array.from({ length: OFFLINE }, (_, session) => drain(port, session, Math.floor(each))))
  row(
    `drained by ${OFFLINE} sessions at a time, messages/s`,
    rates.reduce((sum, rate) => sum + rate, 0)
  )
}

async function retained(): Promise<void> {
  const data = join(folder, 'retained')
  const broker = await MeasuredBroker.start({ data, collects: true })
  await publishAll(broker.port, WARM_UP, (message) => `retained/${message}/value`, PAYLOAD, true)
  const before = await broker.memory()
  const bytesBefore = broker.fileBytes
  const count = messages - WARM_UP
  const rate = await publishAll(broker.port, count, (message) => `retained/${WARM_UP + message}/value`, PAYLOAD, true)
  report(`${number(messages)} retained messages, ${number(rate)}/s`, count, before, await broker.memory())
  row('on disk, bytes per message', (broker.fileBytes - bytesBefore) / count)
  await broker.stop()
  const again = await MeasuredBroker.start({ data, collects: true })
  row('started again in, ms', again.startMs)
  await again.stop()
}

async function broadcast(): Promise<void> {
  const count = 10_000
  for (const receivers of [1, sessions]) {
    const broker = await MeasuredBroker.start({ data: join(folder, `broadcast-${receivers}`), collects: true })
    await leaveSessions(broker.port, receivers, () => 'news')
    const bytesBefore = broker.fileBytes
    const rate = await publishAll(broker.port, count, () => 'news', PAYLOAD, false)
    title(`${number(count)} messages to ${number(receivers)} offline sessions each, ${number(rate)}/s`)
    row('on disk, bytes per message', (broker.fileBytes - bytesBefore) / count)
    row('µs per message', 1e6 / rate)
    await broker.stop()
  }
}

async function startUp(): Promise<void> {
  title('start-up, ms, with nothing / with messages for one session')
  for (const count of [1, sessions / 10, sessions].map(Math.ceil)) {
    const data = join(folder, `start-${count}`)
    const broker = await MeasuredBroker.start({ data, collects: true })
    await leaveSessions(broker.port, count, (session) => `start/${session}`)
    await broker.stop()
    const empty = await MeasuredBroker.start({ data, collects: true })
    await publishAll(empty.port, messages, () => 'start/0', PAYLOAD, false)
    await empty.stop()
    const full = await MeasuredBroker.start({ data, collects: true })
    row(`${number(count)} sessions, without messages`, empty.startMs)
    row(`${number(count)} sessions, ${number(messages)} messages`, full.startMs)
    await full.stop()
  }
}

async function cycles(): Promise<void> {
  const count = Math.ceil(messages / CYCLES)
  const broker = await MeasuredBroker.start({ data: join(folder, 'cycles'), collects: true })
  await leaveSessions(broker.port, 1, () => 'cycles')
  title(`${CYCLES} times ${number(count)} messages stored and drained`)
  for (let cycle = 1; cycle <= CYCLES; cycle++) {
    await publishAll(broker.port, count, () => 'cycles', PAYLOAD, false)
    await drain(broker.port, 0, count)
    row(`file after cycle ${cycle}, MB`, broker.fileBytes / 1e6)
  }
  await broker.stop()
}

function report(what: string, count: number, before: Memory, after: Memory): void {
  title(what)
  for (const kind of ['heapUsed', 'external', 'anonymous', 'file'] as const) {
    const [from, to] = [before[kind] / 1e6, after[kind] / 1e6].map((megabytes) => megabytes.toFixed(1))
    console.log(
      `  ${NAMES[kind].padEnd(44)}${from} to ${to} MB, ${((after[kind] - before[kind]) / count).toFixed(1)} bytes per message`
    )
  }
}

function title(what: string): void {
  console.log(`\n${what}`)
}

function row(what: string, value: number): void {
  console.log(`  ${what.padEnd(44)}${number(value)}`)
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 1 })
}
