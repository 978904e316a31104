import { outboxBytes, type OutboxChanges, type OutboxMessage, type SequenceNumber } from '../outbox-store.ts'
import { check, checkEqual } from './expectations.ts'
import { OutboxBench, type OutboxPlace } from './outbox-bench.ts'
import { Random } from './random.ts'
import { fullSample, sample } from './samples.ts'

export interface HistoryOptions {
  /** How many random histories to try. Default: 20. */
  readonly runs?: number | undefined
  /** Repeats the histories of an earlier run, whose title told its seed. Default: a new one. */
  readonly seed?: number | undefined
}

export interface HistoryCheck {
  readonly name: string
  readonly run: () => Promise<void>
}

const STEPS_MAX = 60
const DEFAULT_RUNS = 20

/** Random histories of commits, reads and openings, each compared with the model as it goes and when opened again. */
export function historyCheck(
  makePlace: () => OutboxPlace | Promise<OutboxPlace>,
  { runs = DEFAULT_RUNS, seed = Math.floor(Math.random() * 0x7f_ff_ff_ff) }: HistoryOptions = {}
): HistoryCheck {
  return {
    name: `random histories agree with the model (seed ${seed})`,
    async run() {
      for (let history = 0; history < runs; history++) {
        const bench = new OutboxBench(await makePlace())
        try {
          await new Comparison(bench, new Random(seed + history)).run()
        } catch (cause) {
          throw new Error(`history ${history} of seed ${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, {
            cause
          })
        } finally {
          await bench.remove()
        }
      }
    }
  }
}

/** A store and the plainest model of it, doing the same. */
class Comparison {
  readonly #bench: OutboxBench
  readonly #random: Random
  #clientId: string | undefined = undefined
  #nextSequence: SequenceNumber = 1
  readonly #messages = new Map<SequenceNumber, OutboxMessage>()
  readonly #received = new Set<number>()

  constructor(bench: OutboxBench, random: Random) {
    this.#bench = bench
    this.#random = random
  }

  async run(): Promise<void> {
    const steps = 1 + this.#random.below(STEPS_MAX)
    await this.#reopen()
    for (let step = 0; step < steps; step++) {
      const kind = this.#random.below(16)
      if (kind === 0) await this.#reopen()
      else if (kind < 6) await this.#read()
      else await this.#commit()
    }
    await this.#reopen()
    checkEqual(await this.#bench.readAll({ messages: 7 }), [...this.#messages.values()], 'in the end')
  }

  async #reopen(): Promise<void> {
    const { receivedIdentifiers, nextSequence, ...contents } = await this.#bench.open()
    const bytes = [...this.#messages.values()].reduce((sum, message) => sum + outboxBytes(message), 0)
    checkEqual(contents, { clientId: this.#clientId, messages: this.#messages.size, bytes }, 'when opened again')
    check(nextSequence >= this.#nextSequence, `the next number is ${nextSequence}, and ${this.#nextSequence - 1} was given`)
    this.#nextSequence = nextSequence
    checkEqual(sorted(receivedIdentifiers), sorted([...this.#received]), 'received, when opened again')
  }

  async #read(): Promise<void> {
    const after = this.#random.below(this.#nextSequence + 2)
    const limit = { messages: 1 + this.#random.below(8), bytes: 1 + this.#random.below(1_000) }
    const expected: OutboxMessage[] = []
    let bytes = 0
    for (const message of this.#messages.values()) {
      if (message.sequence <= after) continue
      bytes += outboxBytes(message)
      if (expected.length === limit.messages || (expected.length > 0 && bytes > limit.bytes)) break
      expected.push(message)
    }
    checkEqual(await this.#bench.read(after, limit), expected, `a read above ${after} of up to ${JSON.stringify(limit)}`)
  }

  async #commit(): Promise<void> {
    const random = this.#random
    const changes: OutboxChanges = {
      clientId: this.#clientId === undefined && random.below(3) === 0 ? `client-${random.below(100)}` : undefined,
      put: Array.from({ length: random.below(6) }, () => this.#message()),
      release: [...this.#messages.values()]
        .filter(({ qos }) => qos === 2 && random.below(6) === 0)
        .map(({ sequence }) => sequence),
      remove: [],
      received: [],
      forgotten: []
    }
    const remove = this.#numbers(this.#nextSequence + 2).filter((sequence) => !changes.release.includes(sequence))
    const received = this.#numbers(9)
    const forgotten = this.#numbers(9).filter((packetIdentifier) => !received.includes(packetIdentifier))
    const put = new Set(changes.put.map(({ sequence }) => sequence))
    await this.#apply({ ...changes, remove: remove.filter((sequence) => !put.has(sequence)), received, forgotten })
  }

  async #apply(changes: OutboxChanges): Promise<void> {
    await this.#bench.commit(changes)
    this.#clientId ??= changes.clientId
    for (const message of changes.put) this.#messages.set(message.sequence, message)
    for (const sequence of changes.release) {
      const message = this.#messages.get(sequence)
      if (message !== undefined) this.#messages.set(sequence, { ...message, isReleased: true })
    }
    for (const sequence of changes.remove) this.#messages.delete(sequence)
    for (const packetIdentifier of changes.received) this.#received.add(packetIdentifier)
    for (const packetIdentifier of changes.forgotten) this.#received.delete(packetIdentifier)
  }

  #message(): OutboxMessage {
    const random = this.#random
    const sequence = this.#nextSequence + (random.below(8) === 0 ? random.below(4) : 0)
    this.#nextSequence = sequence + 1
    if (random.below(4) === 0) return fullSample(sequence)
    return sample(sequence, {
      payload: Uint8Array.from({ length: random.below(random.below(20) === 0 ? 20_000 : 300) }, () => random.below(256)),
      qos: random.below(2) === 0 ? 1 : 2,
      retain: random.below(2) === 0,
      expiresAtMs: random.below(2) === 0 ? 0 : 1_800_000_000_000 + random.below(1_000_000)
    })
  }

  /** Some of the whole numbers from 1 to below a bound, up to eight. */
  #numbers(below: number): number[] {
    return [...new Set(Array.from({ length: this.#random.below(9) }, () => 1 + this.#random.below(below - 1)))]
  }
}

function sorted(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b)
}
