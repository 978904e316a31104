import { MemoryStore, type SequenceNumber } from '@godwit/storage'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DurableQueue } from './durable-queue.ts'
import { FateLedger } from './fates.ts'
import { type Limits, resolveLimits } from './limits.ts'
import { LogReader } from './log-reader.test.support.ts'
import { ManualClock } from './manual-clock.test.support.ts'
import { Overflow } from './overflow.ts'
import { message } from './samples.test.support.ts'
import { Timers } from './timers.ts'

// fast-check prints its seed when a property fails.

const FILTERS = ['a', 'b', 'c'] as const
const READERS = 3

type Step =
  | { readonly kind: 'append'; readonly filters: readonly string[] }
  | { readonly kind: 'join'; readonly reader: number; readonly filter: string }
  | { readonly kind: 'connect' | 'disconnect'; readonly reader: number }
  | { readonly kind: 'finish'; readonly reader: number; readonly index: number }
  | { readonly kind: 'trim' | 'restart' }

const reader = fc.nat(READERS - 1)
const steps = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ kind: fc.constant('append'), filters: fc.subarray([...FILTERS], { minLength: 1 }) })
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('join'), reader, filter: fc.constantFrom(...FILTERS) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('connect', 'disconnect'), reader }) },
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('finish'), reader, index: fc.nat(10) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('trim', 'restart') }) }
  ),
  { maxLength: 120, size: 'max' }
) satisfies fc.Arbitrary<Step[]>

function unexpected(error: unknown): void {
  throw error
}

/** The log with its queues and readers, checked after every step against what the readers are owed. */
class Log {
  readonly store = new MemoryStore({ schedule: () => {} })
  readonly readers: readonly LogReader[]
  readonly #fates = new FateLedger(0, () => 0)
  readonly #overflow: Overflow
  readonly #queues = new Map<string, DurableQueue>()
  readonly #cursors = new Map<string, SequenceNumber>()
  readonly #finishedThrough = new Map<string, SequenceNumber>()

  private constructor(windows: readonly number[], limits: Partial<Limits>) {
    const clock = new ManualClock()
    this.#overflow = new Overflow({
      rules: [],
      limits: resolveLimits(limits),
      store: this.store,
      clock,
      timers: new Timers(clock, unexpected),
      fates: this.#fates,
      defer: (callback) => clock.defer(callback),
      publish: () => false,
      reportStoreError: unexpected
    })
    this.readers = windows.map((windowMax, index) => new LogReader(`reader-${index}`, windowMax, this.store))
  }

  static async open(windows: readonly number[], limits: Partial<Limits> = {}): Promise<Log> {
    const log = new Log(windows, limits)
    await log.#open()
    for (const { key } of log.readers) {
      log.store.putSession({ clientId: key, sessionExpiryIntervalSeconds: Infinity, disconnectedAtMs: 0, listener: '' })
    }
    return log
  }

  get fates(): FateLedger {
    return this.#fates
  }

  queue(topicFilter: string): DurableQueue {
    let queue = this.#queues.get(topicFilter)
    if (queue === undefined) {
      queue = new DurableQueue(this.store, topicFilter, this.#overflow, () => {})
      this.#queues.set(topicFilter, queue)
    }
    return queue
  }

  append(filters: readonly string[], payload = ''): SequenceNumber {
    const queues = filters.map((filter) => this.queue(filter))
    const appended = message(filters.join('/'), { payload })
    const sequence = this.store.append(
      appended,
      queues.map(({ id }) => id)
    )
    for (const each of this.readers) if (filters.some((filter) => each.joined.has(filter))) each.offer(sequence)
    for (const queue of queues) queue.appended(appended, sequence)
    return sequence
  }

  trim(): void {
    for (const queue of this.#queues.values()) queue.trim()
  }

  async restart(): Promise<void> {
    for (const each of this.readers) this.store.touch(each.consumer)
    await this.store.close()
    this.#queues.clear()
    this.#finishedThrough.clear()
    const contents = await this.#open()
    for (const each of this.readers) {
      const stored = contents.sessions.find(({ session }) => session.clientId === each.key)
      expect(stored).toBeDefined()
      if (stored !== undefined) each.restore(stored.progress, (topicFilter) => this.queue(topicFilter))
    }
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'append':
        this.append(step.filters)
        break
      case 'join':
        this.readers[step.reader]?.join(this.queue(step.filter))
        break
      case 'connect':
        this.readers[step.reader]?.connect()
        break
      case 'disconnect':
        this.readers[step.reader]?.disconnect()
        break
      case 'finish':
        this.readers[step.reader]?.finish(step.index)
        break
      case 'trim':
        this.trim()
        break
      case 'restart':
        await this.restart()
    }
  }

  check(): void {
    for (const each of this.readers) {
      this.#checkProgress(each)
      this.#checkTrimmed(each)
    }
  }

  /** Everyone comes, and finishes all there is. */
  finishAll(): void {
    for (const each of this.readers) {
      each.connect()
      while (each.inflight.length > 0) each.finish(0)
    }
  }

  held(): number {
    let messages = 0
    for (const queue of this.#queues.values()) messages += this.store.backlog({ queue: queue.id, after: 0 }).messages
    return messages
  }

  #checkProgress(each: LogReader): void {
    const { cursor, finished } = each.consumer.progress()
    const [oldestOwed = Infinity] = [...each.owed].toSorted((a, b) => a - b)
    expect(cursor, `${each.key}: the cursor passes nothing unfinished`).toBeLessThan(oldestOwed)
    expect(cursor, `${each.key}: the cursor never goes back`).toBeGreaterThanOrEqual(this.#cursors.get(each.key) ?? 0)
    this.#cursors.set(each.key, cursor)
    expect(finished, `${each.key}: finished is rising`).toEqual([...finished].toSorted((a, b) => a - b))
    for (const sequence of finished) {
      expect(sequence, `${each.key}: finished is above the cursor`).toBeGreaterThan(cursor)
      expect(each.owed.has(sequence), `${each.key}: what is called finished is`).toBe(false)
    }
    for (const topicFilter of each.joined.keys()) {
      const name = `${each.key} ${topicFilter}`
      const through = each.consumer.finishedThrough(this.queue(topicFilter))
      expect(through, `${name}: finishedThrough never goes back`).toBeGreaterThanOrEqual(this.#finishedThrough.get(name) ?? 0)
      this.#finishedThrough.set(name, through)
    }
  }

  /** Whatever a reader is owed, in flight or not, can still be read from its queues. */
  #checkTrimmed(each: LogReader): void {
    const positions = [...each.joined.keys()].map((topicFilter) => ({ queue: this.queue(topicFilter).id, after: 0 }))
    const entries = this.store.read(positions, Infinity)
    if (entries instanceof Promise) throw new TypeError('a MemoryStore reads at once')
    const held = new Set(entries.map(({ sequence }) => sequence))
    expect(
      [...each.owed].filter((sequence) => !held.has(sequence)),
      `${each.key}: nothing is trimmed that it needs`
    ).toEqual([])
  }

  async #open() {
    return this.store.open({
      onCommitted() {},
      onCommitFailed(_commit, error) {
        throw error
      }
    })
  }
}

describe('a consumer of the log', () => {
  it('given any history without limits, then each gets what it is owed, once and in order, and in the end nothing is kept', async () => {
    const windows = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: READERS, maxLength: READERS })
    await fc.assert(
      fc.asyncProperty(windows, steps, async (windowMax, history) => {
        const log = await Log.open(windowMax)
        const expected = new Map<string, SequenceNumber[]>()
        for (const step of history) {
          await log.take(step)
          if (step.kind === 'append') {
            for (const each of log.readers) {
              if (!step.filters.some((filter) => each.joined.has(filter))) continue
              expected.set(each.key, [...(expected.get(each.key) ?? []), log.store.lastSequence])
            }
          }
          log.check()
        }
        log.finishAll()
        log.check()
        for (const each of log.readers) expect(each.sent).toEqual(expected.get(each.key) ?? [])
        log.trim()
        expect(log.held()).toBe(0)
      }),
      { numRuns: 300 }
    )
  })

  it('given messages finished in the opposite order, then the cursor stays until the oldest is, and passes all at once', async () => {
    const log = await Log.open([8])
    const [only] = log.readers
    if (only === undefined) return expect.unreachable()
    only.join(log.queue('a'))
    only.connect()
    for (let count = 0; count < 5; count++) log.append(['a'])
    for (let count = 5; count > 1; count--) {
      only.finish(count - 1)
      expect(only.consumer.progress().cursor).toBe(0)
    }
    expect(only.consumer.progress().finished).toEqual([2, 3, 4, 5])
    only.finish(0)
    expect(only.consumer.progress()).toMatchObject({ cursor: 5, finished: [] })
  })

  it('given that its owner goes away between an append and its offer, then it reads the message later', async () => {
    const log = await Log.open([8])
    const [only] = log.readers
    if (only === undefined) return expect.unreachable()
    only.join(log.queue('a'))
    only.connect()
    const sequence = log.store.append(message('a'), [log.queue('a').id])
    only.disconnect()
    only.offer(sequence)
    only.connect()
    expect(only.sent).toEqual([sequence])
  })

  it('given a restored message that is finished before reading comes to it, then it is not sent again, nor is the cursor held up', async () => {
    const log = await Log.open([3])
    const [only] = log.readers
    if (only === undefined) return expect.unreachable()
    only.join(log.queue('a'))
    only.connect()
    for (let count = 0; count < 4; count++) log.append(['a'])
    await log.restart()
    only.finish(1)
    only.finish(0)
    log.check()
    only.connect()
    only.finish(0)
    only.finish(0)
    log.check()
    expect(only.sent).toEqual([1, 2, 3, 4])
    expect(only.consumer.progress()).toMatchObject({ cursor: 4, finished: [] })
  })
})

describe('the bound of a durable queue', () => {
  const MESSAGES_MAX = 20

  it('given a reader that stays away, then at most the bound waits, the oldest go, and each that went is counted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200 }), fc.nat(5), async (messages, windowMax) => {
        const log = await Log.open([windowMax + 1], { queuedMessagesMax: MESSAGES_MAX })
        const [only] = log.readers
        if (only === undefined) return expect.unreachable()
        only.join(log.queue('a'))
        for (let count = 0; count < messages; count++) {
          log.append(['a'])
          // A check comes once per message or sixty-fourth of the bound.
          expect(only.consumer.waiting(log.queue('a'))).toBeLessThanOrEqual(MESSAGES_MAX + 1)
        }
        const waiting = only.consumer.waiting(log.queue('a'))
        expect(log.fates.count('queue-full') + waiting).toBe(messages)
        if (messages >= MESSAGES_MAX) expect(waiting).toBeGreaterThanOrEqual(MESSAGES_MAX)
        log.finishAll()
        expect(only.sent).toEqual(Array.from({ length: waiting }, (_, index) => messages - waiting + index + 1))
        log.trim()
        expect(log.held()).toBe(0)
      }),
      { numRuns: 60 }
    )
  })

  it('given large messages, then at most the bound in bytes waits', async () => {
    const log = await Log.open([1], { queuedBytesMax: 10_240 })
    const [only] = log.readers
    if (only === undefined) return expect.unreachable()
    only.join(log.queue('a'))
    for (let count = 0; count < 50; count++) log.append(['a'], 'x'.repeat(1023))
    expect(only.consumer.waiting(log.queue('a'))).toBe(10)
    expect(log.fates.count('queue-full')).toBe(40)
  })

  it('given messages in flight when later ones are given up, then those in flight hold the cursor, and are known to have left the log', async () => {
    const log = await Log.open([3, 1], { queuedMessagesMax: MESSAGES_MAX })
    const [slow] = log.readers
    if (slow === undefined) return expect.unreachable()
    slow.join(log.queue('a'))
    slow.connect()
    for (let count = 0; count < 100; count++) log.append(['a'])
    expect(slow.inflight).toEqual([1, 2, 3])
    expect(slow.inflight.map((sequence) => slow.consumer.holds(sequence))).toEqual([false, false, false])
    expect(slow.consumer.holds(100)).toBe(true)
    expect(slow.consumer.progress().cursor).toBe(0)
    await log.restart()
    for (let count = 0; count < 10; count++) log.append(['a'])
    log.trim()
    expect(slow.consumer.progress().cursor).toBe(0)
    log.finishAll()
    log.trim()
    expect(slow.consumer.progress()).toMatchObject({ cursor: 110, finished: [] })
    expect(log.held()).toBe(0)
    expect(new Set(slow.sent).size).toBe(slow.sent.length)
  })

  it('given one reader that stays away and one that keeps up, then only the former loses messages', async () => {
    const log = await Log.open([1, 1], { queuedMessagesMax: MESSAGES_MAX })
    const [away, keen] = log.readers
    if (away === undefined || keen === undefined) return expect.unreachable()
    away.join(log.queue('a'))
    keen.join(log.queue('a'))
    keen.connect()
    for (let count = 0; count < 100; count++) {
      log.append(['a'])
      keen.finish(0)
    }
    expect(keen.sent).toHaveLength(100)
    expect(log.fates.count('queue-full') + away.consumer.waiting(log.queue('a'))).toBe(100)
  })
})
