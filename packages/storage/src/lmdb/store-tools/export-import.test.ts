import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OPEN_END, type QueueId } from '../../records.ts'
import { step, type Step } from '../../suite/history-steps.ts'
import type { OpenStore } from '../../suite/open-store.ts'
import { fullMessage, inflight, message, progress, session, sharedGroup, subscription } from '../../suite/samples.ts'
import { benchIn, temporaryFolder } from '../testing/temporary-store.ts'
import { checkStore } from './check-store.ts'
import { exportStore } from './export-store.ts'
import { importStore } from './import-store.ts'

const seed = Math.floor(Math.random() * 0x7f_ff_ff_ff)

describe('an export that is imported', () => {
  test(`given random histories, then what is exported again is the same but for its numbers (seed ${seed})`, async () => {
    const isSame = fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
      const path = temporaryFolder()
      const bench = benchIn(path)
      const opened = await bench.open()
      const history = new History(opened)
      for (const next of steps) history.take(next)
      await bench.close()
      const exported = await exportOf(path)
      const copy = join(temporaryFolder(), 'copy')
      await importStore(bytesOf(exported), copy)
      expect(ranked(await exportOf(copy))).toEqual(ranked(exported))
    })
    await fc.assert(isSame, { numRuns: 12, seed })
  }, 120_000)

  test('given every kind of record, then the store is sound, and a broker opens it', async () => {
    const path = temporaryFolder()
    await fill(path)
    const copy = join(temporaryFolder(), 'copy')
    const counts = await importStore(bytesOf(await exportOf(path)), copy)
    expect(counts).toEqual({ queues: 2, sessions: 2, sharedSubscriptions: 1, messages: 3, retainedMessages: 2, wills: 1 })
    expect(await findingsIn(copy)).toEqual([])
    expect(readdirSync(copy).sort()).toEqual(['data.mdb', 'in-use.lock', 'lock.mdb'])
    const { contents, store } = await benchIn(copy).open()
    const durable = contents.sessions.find((held) => held.session.clientId === 'c')
    const [entry] = await store.read([{ queue: store.openQueue('a/+'), after: durable?.progress.cursor ?? 0 }], 10)
    expect(entry?.message.topicName).toBe('a/2')
    expect(durable?.progress.inflight[0]?.sequence).toBe(entry?.sequence)
    expect(durable?.received.map(({ packetIdentifier }) => packetIdentifier)).toEqual([9, 3])
    expect(store.hasRetained('$SYS/x')).toBe(true)
  })

  test('given positions between messages, then what comes before and after them stays so', async () => {
    const path = temporaryFolder()
    const bench = benchIn(path)
    const { store } = await bench.open()
    const queue = store.openQueue('#')
    store.putSession(session('c'))
    const first = store.append(message('a'), [queue])
    store.putRetained(message('r1'), store.append(message('r1'), []))
    const upTo = store.append(message('none'), [])
    store.putRetained(message('r2'), store.append(message('r2'), []))
    const skipped = [
      { after: first, through: first + 2 },
      { after: first + 2, through: OPEN_END }
    ]
    store.putSubscription('c', subscription('#', { since: first, retainedScan: { upTo, after: undefined }, skipped }))
    const last = store.append(message('b'), [queue])
    store.touch({ kind: 'session', key: 'c', progress: () => progress(first, { finished: [last] }) })
    await bench.close()
    const copy = join(temporaryFolder(), 'copy')
    await importStore(bytesOf(await exportOf(path)), copy)
    const lines = linesOf(await exportOf(copy))
    const held = lines.find(({ kind }) => kind === 'session')
    const [a, b] = lines.filter(({ kind }) => kind === 'message').map(({ sequence }) => sequence)
    const [r1 = 0, r2 = 0] = lines.filter(({ kind }) => kind === 'retained').map(({ sequence }) => Number(sequence))
    expect(held).toMatchObject({
      progress: { cursor: a, finished: [b] },
      subscriptions: [{ since: a, skipped: [{ after: a }, { through: OPEN_END }] }]
    })
    const scan = Number(JSON.stringify(held).match(/"upTo":(\d+)/)?.[1])
    expect(Number(a)).toBeLessThan(r1)
    expect(r1).toBeLessThan(scan)
    expect(scan).toBeLessThan(r2)
    expect(r2).toBeLessThan(Number(b))
  })

  test('given bytes that are UTF-8, then they are text; given others, then base64, under another name', async () => {
    const path = temporaryFolder()
    const bench = benchIn(path)
    const { store } = await bench.open()
    const queue = store.openQueue('#')
    for (const payload of ['', 'ü\n\u0000\u2028"', '\uFEFFx', Uint8Array.of(0xff), Uint8Array.of(0xed, 0xa0, 0x80)]) {
      store.append(message('t', payload), [queue])
    }
    await bench.close()
    const exported = await exportOf(path)
    const payloads = linesOf(exported).flatMap(({ message: held }) => (held === undefined ? [] : [held]))
    expect(payloads).toMatchObject([
      { payload: '' },
      { payload: 'ü\n\u0000\u2028"' },
      { payload: '\uFEFFx' },
      { payloadBase64: '/w==' },
      { payloadBase64: '7aCA' }
    ])
    const copy = join(temporaryFolder(), 'copy')
    await importStore(bytesOf(exported), copy)
    expect(ranked(await exportOf(copy))).toEqual(ranked(exported))
  })
})

describe('an import that fails', () => {
  const header = '{"kind":"godwit-export","version":1,"exportedAt":""}'
  const held = '{"topicName":"t","payload":"","qos":1,"retain":false,"publisherClientId":"","publishedAtMs":0}'
  const inQueue = (sequence: number, rest = ''): string =>
    `{"kind":"message","sequence":${sequence},"queues":["#"]${rest},"message":${held}}`
  const queue = '{"kind":"queue","topicFilter":"#"}'
  const end = '{"kind":"end"}'
  const cases: readonly (readonly [lines: readonly string[], mistake: RegExp])[] = [
    [[''], /^line 1: the export ends without its last line/],
    [['{'], /^line 1: it is not JSON: /],
    [['[]'], /^line 1: it is \[\]; accepted is an object$/],
    [[end], /^line 1: kind is end, and the first; accepted is the order godwit-export, queue, /],
    [[header.replace('1', '2'), end], /^line 1: version is 2; accepted is 1$/],
    [[header, '{"kind":"queues"}'], /^line 2: kind is "queues"; accepted is "godwit-export", "queue", /],
    [[header, '', queue], /^line 4: the export ends without its last line, \{"kind":"end"\}: it is not whole$/],
    [[header, end, queue], /^line 3: kind is queue, after end; accepted is the order /],
    [[header, queue, queue], /^line 3: topicFilter is "#" a second time; accepted is each once$/],
    [
      [header, '{"kind":"queue","topicFilter":"#/a"}'],
      /^line 2: topicFilter is "#\/a"; accepted is a Topic Filter, and # must be/
    ],
    [[header, '{"kind":"queue","topicFilter":"a","x":1}'], /^line 2: x is no field; accepted are kind, topicFilter$/],
    [[header, inQueue(1)], /^line 2: queues has "#"; accepted are the Topic Filters of lines of the kind queue$/],
    [
      [header, queue, inQueue(2), inQueue(2)],
      /^line 4: sequence is 2; accepted is a number above 2, that of the message before$/
    ],
    [[header, queue, inQueue(-1)], /^line 3: sequence is -1; accepted is a whole number from 0 to \d+$/],
    [[header, queue, inQueue(1).replace('"qos":1', '"qos":3')], /^line 3: message\.qos is 3; accepted is 0, 1, 2$/],
    [[header, queue, inQueue(1).replace('"qos":1,', '')], /^line 3: message\.qos is missing; accepted is 0, 1, 2$/],
    [[header, queue, inQueue(1).replace('"payload":""', '"payloadBase64":"_"')], /payloadBase64 is "_"; accepted is base64$/],
    [
      [header, queue, inQueue(1).replace('"t"', '"t/+"')],
      /^line 3: message\.topicName is "t\/\+"; accepted is a Topic Name, and/
    ],
    [
      [header, `{"kind":"received","clientId":"c","packetIdentifier":1,"message":${held}}`],
      /^line 2: clientId is "c"; accepted are those of lines of the kind session$/
    ]
  ]
  test.each(cases)('%j', async (lines, mistake) => {
    const folder = join(temporaryFolder(), 'store')
    await expect(importStore(bytesOf(lines.join('\n')), folder)).rejects.toThrow(mistake)
    expect(existsSync(folder)).toBe(false)
  })

  test('given a folder with other things, then those are all that is left', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'notes'), '')
    await expect(importStore(bytesOf(`${header}\n${queue}\n`), folder)).rejects.toThrow(/not whole/)
    expect(readdirSync(folder).filter((name) => name !== 'in-use.lock')).toEqual(['notes'])
    await importStore(bytesOf(`${header}\n${queue}\n${end}`), folder)
    expect(await findingsIn(folder)).toEqual([])
  })

  test('given a folder that holds a store, then it is refused and left as it was', async () => {
    const folder = temporaryFolder()
    await fill(folder)
    const before = ranked(await exportOf(folder))
    await expect(importStore(bytesOf(`${header}\n${end}`), folder)).rejects.toThrow(/holds a store; accepted is a folder that/)
    expect(ranked(await exportOf(folder))).toEqual(before)
  })

  test('given what an import that was killed left, then it is begun anew', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'incoming'))
    writeFileSync(join(folder, 'incoming/data.mdb'), 'half')
    await importStore(bytesOf(`${header}\n${queue}\n${end}\n`), folder)
    expect(await findingsIn(folder)).toEqual([])
  })
})

/** Sessions, one with everything that it can have, a group, wills, and retained messages. */
async function fill(path: string): Promise<void> {
  const bench = benchIn(path)
  const { store } = await bench.open()
  const own = store.openQueue('a/+')
  const shared = store.openQueue('b')
  store.putSession(session('c', { disconnectedAtMs: 1.5, listener: 'tls' }))
  store.putSession(session('never', { sessionExpiryIntervalSeconds: 60 }))
  const first = store.append(message('a/1'), [own])
  store.putSubscription('c', subscription('a/+', { since: first, subscriptionIdentifier: 7 }))
  store.putSubscription('c', subscription('$share/g/b'))
  store.putSharedGroup(sharedGroup('$share/g/b', { since: first }))
  const second = store.append(fullMessage('a/2'), [own])
  const third = store.append(message('b'), [shared, own])
  const records = [inflight(1, second), inflight(2, 0, { qos: 2 }), inflight(4, third, { group: '$share/g/b' })]
  store.touch({ kind: 'session', key: 'c', progress: () => progress(first, { inflight: records, released: [5] }) })
  store.putInflight('c', 2, message('r'))
  store.putReceived('c', 9, message('q'))
  store.putReceived('c', 3, message('q'))
  store.putRetained(message('r', 'x', { retain: true }), store.append(message('r'), []))
  store.putRetained(message('$SYS/x'), third)
  store.putWill({ clientId: 'w', message: message('w'), delayIntervalSeconds: 5, dueSinceMs: 3 })
  await bench.close()
}

/** Takes the steps of a history that change something. */
class History {
  readonly #opened: OpenStore
  readonly #queues = new Map<string, QueueId>()
  readonly #sessions = new Set<string>()
  readonly #groups = new Set<string>()

  constructor(opened: OpenStore) {
    this.#opened = opened
  }

  take(step: Step): void {
    const { store } = this.#opened
    switch (step.kind) {
      case 'append':
        store.append(
          step.message,
          step.filters.map((filter) => this.#queue(filter))
        )
        break
      case 'trim':
        store.trimQueue(this.#queue(step.filter), Math.round(store.lastSequence * step.share))
        break
      case 'drop':
        store.dropQueue(this.#queue(step.filter))
        this.#queues.delete(step.filter)
        break
      case 'putSession':
        store.putSession(step.record)
        this.#sessions.add(step.record.clientId)
        break
      case 'deleteSession':
        store.deleteSession(step.clientId)
        this.#sessions.delete(step.clientId)
        break
      case 'putSubscription':
        if (this.#sessions.has(step.clientId)) store.putSubscription(step.clientId, step.record)
        break
      case 'deleteSubscription':
        store.deleteSubscription(step.clientId, step.filter)
        break
      case 'touchSession':
        if (this.#sessions.has(step.clientId)) store.touch({ kind: 'session', key: step.clientId, progress: () => step.progress })
        break
      case 'putGroup':
        store.putSharedGroup(step.record)
        this.#groups.add(step.record.filter)
        break
      case 'touchGroup':
        if (this.#groups.has(step.filter)) store.touch({ kind: 'group', key: step.filter, progress: () => step.progress })
        break
      case 'deleteGroup':
        store.deleteSharedGroup(step.filter)
        this.#groups.delete(step.filter)
        break
      case 'putReceived':
        if (this.#sessions.has(step.clientId)) store.putReceived(step.clientId, step.packetIdentifier, step.message)
        break
      case 'putInflight':
        if (this.#sessions.has(step.clientId)) store.putInflight(step.clientId, step.packetIdentifier, step.message)
        break
      case 'deleteReceived':
        store.deleteReceived(step.clientId, step.packetIdentifier)
        break
      case 'putWill': {
        const { clientId, delayIntervalSeconds } = step
        store.putWill({ clientId, message: step.message, delayIntervalSeconds, dueSinceMs: 0 })
        break
      }
      case 'putRetained':
        store.putRetained(step.message, store.append(step.message, []))
        break
      case 'deleteRetained':
        store.deleteRetained(step.topicName)
        break
      default:
        break
    }
  }

  #queue(filter: string): QueueId {
    const queue = this.#queues.get(filter) ?? this.#opened.store.openQueue(filter)
    this.#queues.set(filter, queue)
    return queue
  }
}

async function exportOf(path: string): Promise<string> {
  let text = ''
  for await (const chunk of exportStore(path, { salvage: undefined })) text += chunk
  return text
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  // In pieces that end within lines and characters.
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += 1_000) yield bytes.subarray(at, at + 1_000)
}

function linesOf(exported: string): Record<string, unknown>[] {
  return exported
    .trim()
    .split('\n')
    .map((line) => {
      const value: unknown = JSON.parse(line)
      if (typeof value !== 'object') throw new Error(`no object: ${line}`)
      return { ...value }
    })
}

const POSITIONS = new Set(['cursor', 'since', 'until', 'after', 'through', 'upTo', 'sequence', 'finished'])

/**
 * An export with each position replaced by its place among all positions; what is retained between two by the place
 * between them. When it was made is left out.
 */
function ranked(exported: string): unknown {
  const lines = linesOf(exported).slice(1)
  const positions = new Set<number>([0])
  for (const line of lines) if (line['kind'] !== 'retained') addPositions(line, positions)
  const order = [...positions].sort((a, b) => a - b)
  const known = new Set<number>([0])
  for (const { kind, ...line } of lines) {
    if (kind === 'session' || kind === 'sharedSubscription') addPositions(line, known)
  }
  const knownOrder = [...known].sort((a, b) => a - b)
  return lines.map((line) => {
    if (line['kind'] !== 'retained') return withPositions(line, (at) => order.indexOf(at))
    return withPositions(line, (at) => {
      const below = knownOrder.findLastIndex((position) => position <= at)
      return knownOrder[below] === at ? below : below + 0.5
    })
  })
}

function addPositions(value: unknown, positions: Set<number>): void {
  withPositions(value, (at) => {
    positions.add(at)
    return at
  })
}

function withPositions(value: unknown, replace: (position: number) => number, isPosition = false): unknown {
  if (typeof value === 'number') return isPosition ? replace(value) : value
  if (Array.isArray(value)) return value.map((item: unknown) => withPositions(item, replace, isPosition))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, held]) => [name, withPositions(held, replace, POSITIONS.has(name) && name !== 'message')])
  )
}

async function findingsIn(path: string): Promise<string[]> {
  const findings: string[] = []
  await checkStore(path, (what) => findings.push(what))
  return findings
}
