import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { PacketType } from '@godwit/protocol'
import { pubcomp, publish, pubrec, pubrel, subscribe, unsubscribe } from '@godwit/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { RawClient } from '../soak/raw-client.ts'
import { BrokerProcess } from './broker-process.ts'
import { packetsOf, parseTrace, strace, type SystemCall } from './system-calls.ts'

const READS = ['read', 'readv', 'recvfrom', 'recvmsg']
const WRITES = ['write', 'writev', 'sendto', 'sendmsg', 'pwrite64', 'pwritev', 'pwritev2']
const SYNCS = ['fdatasync', 'fsync', 'msync']

/** What a client sent, and the answer that may go out only when its commit is on disk. */
interface Exchange {
  readonly title: string
  readonly clientPort: number
  /** The first byte of the packet that asked for it; undefined: an earlier answer of the broker did. */
  readonly request: number | undefined
  readonly answer: number
}

const canTrace = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0

describe.skipIf(!canTrace)('synced before acknowledged, by its system calls (needs strace, and the permission to trace)', () => {
  it(
    'given requests that change what is kept, then the commit of each is synced before the answer is written',
    { timeout: 120_000 },
    async () => {
      const { calls, exchanges, journal } = await traced([])
      for (const exchange of exchanges) expect(commitsBefore(calls, exchange, journal), exchange.title).toBeGreaterThan(0)
    }
  )

  it('given a broker that answers before its commit is on disk, then that is seen', { timeout: 120_000 }, async () => {
    const fault = new URL('acknowledge-early.ts', import.meta.url)
    const { calls, exchanges, journal } = await traced([`--import=${fault.href}`])
    const puback = exchanges.find(({ title }) => title.startsWith('PUBACK'))
    expect(puback && commitsBefore(calls, puback, journal)).toBe(0)
  })
})

/** Runs the broker under strace while clients make one exchange after another. */
async function traced(nodeFlags: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-synced-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const data = join(folder, 'data')
  const trace = join(folder, 'trace')
  const wrapper = strace(trace, ['openat', ...READS, ...WRITES, ...SYNCS])
  const broker = new BrokerProcess({ data, wrapper, nodeFlags })
  onTestFinished(() => broker.kill('group'))
  const exchanges = await exchange((await broker.listening).mqtt)
  await broker.stop()
  return { calls: parseTrace(await wholeTrace(trace, broker.pid)), exchanges, journal: join(data, 'journal-') }
}

/** strace writes on for a moment after the process has ended. */
async function wholeTrace(file: string, pid: number): Promise<string> {
  const end = new RegExp(String.raw`^${pid} +\+\+\+ `, 'm')
  for (;;) {
    const text = readFileSync(file, 'utf8')
    if (end.test(text)) return text
    await delay(20)
  }
}

/** One exchange at a time, so that each answer has a commit of its own. */
async function exchange(port: number): Promise<Exchange[]> {
  const exchanges: Exchange[] = []
  const expecting = (title: string, client: RawClient, request: number | undefined, answer: number): void =>
    void exchanges.push({ title, clientPort: client.socket.localPort ?? 0, request, answer })
  const session = { clientId: 'durable', cleanStart: false, sessionExpirySeconds: 0xffff_ffff }

  const first = await RawClient.connect(port, session)
  expecting('CONNACK for a new session', first, 0x10, 0x20)
  first.send(subscribe(1, [['t/#', { qos: 2 }], 'u']))
  await first.next(PacketType.Suback)
  expecting('SUBACK', first, 0x82, 0x90)
  first.send(unsubscribe(2, ['u']))
  await first.next(PacketType.Unsuback)
  expecting('UNSUBACK', first, 0xa2, 0xb0)
  await first.disconnect()

  const publisher = await RawClient.connect(port, { clientId: 'publisher' })
  publisher.send(publish('t/1', 'one', { qos: 1, packetIdentifier: 1 }))
  await publisher.next(PacketType.Puback)
  expecting('PUBACK for a message to an offline session', publisher, 0x32, 0x40)
  publisher.send(publish('retained', 'kept', { qos: 1, retain: true, packetIdentifier: 2 }))
  await publisher.next(PacketType.Puback)
  expecting('PUBACK for a retained message', publisher, 0x33, 0x40)

  const owner = await RawClient.connect(port, { clientId: 'owner', cleanStart: false, sessionExpirySeconds: 1000 })
  owner.send(publish('t/2', 'two', { qos: 2, packetIdentifier: 3 }))
  await owner.next(PacketType.Pubrec)
  expecting('PUBREC', owner, 0x34, 0x50)
  owner.send(pubrel(3))
  await owner.next(PacketType.Pubcomp)
  expecting('PUBCOMP', owner, 0x62, 0x70)

  const will = { topicName: 't/will', payload: 'gone', qos: 1 } as const
  const mortal = await RawClient.connect(port, { clientId: 'mortal', will })
  expecting('CONNACK for a client with a will', mortal, 0x10, 0x20)

  const second = await RawClient.connect(port, session)
  await second.take()
  await second.next(PacketType.Publish)
  expecting('a QoS 2 PUBLISH to a subscriber', second, undefined, 0x34)
  second.send(pubrec(2))
  await second.next(PacketType.Pubrel)
  expecting('PUBREL to a subscriber', second, 0x50, 0x62)
  second.send(pubcomp(2))
  await second.disconnect()
  return exchanges
}

/**
 * The commits that were made between a request and its answer: a record written to a file of the journal, and then a sync
 * of it begun and returned; and all of that before the answer's write began.
 */
function commitsBefore(calls: readonly SystemCall[], { title, clientPort, request, answer }: Exchange, journal: string): number {
  const ofClient = calls.filter(({ descriptor }) => descriptor.startsWith('TCP') && descriptor.endsWith(`:${clientPort}]`))
  const find = (names: readonly string[], firstByte: number, after: number) =>
    ofClient.find((call) => names.includes(call.name) && call.beganAt > after && packetsOf(call).includes(firstByte))
  const asking = request === undefined ? find(WRITES, 0x20, 0) : find(READS, request, 0)
  const from = asking?.returnedAt ?? Number.NaN
  const answering = find(WRITES, answer, from)
  expect(answering, `${title}: the write of the answer`).toBeDefined()
  const to = answering?.beganAt ?? Number.NaN

  const toJournal = calls.filter(({ descriptor, result }) => descriptor.startsWith(journal) && result >= 0)
  const between = toJournal.filter(({ beganAt, returnedAt }) => beganAt > from && returnedAt < to)
  const records = between.filter(({ name }) => WRITES.includes(name))
  return between.filter(({ name, descriptor, beganAt }) => {
    const isWritten = records.some((record) => record.descriptor === descriptor && record.returnedAt < beganAt)
    return SYNCS.includes(name) && isWritten
  }).length
}
