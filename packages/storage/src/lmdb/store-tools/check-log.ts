import { messageBytes } from '../../message-bytes.ts'
import type { QueueId } from '../../records.ts'
import type { Backlog } from '../../store.ts'
import type { SequenceNumber } from '../../stored-message.ts'
import { indexKey, logKey, queueOfIndexKey, sequenceOfIndexKey, sequenceOfLogKey, type LogValue } from '../layout.ts'
import { Bodies, heldThrough, readIndexRun, type IndexRun } from '../log-runs.ts'
import type { LogSummary } from './log-summary.ts'
import { decode, type ReadRecords, type Report, unreported } from './read-records.ts'
import type { StoreSnapshot } from './store-snapshot.ts'

export interface LogFindings {
  readonly summary: LogSummary
  /** Of what is in flight, what the log has. */
  readonly inFlight: ReadonlySet<SequenceNumber>
}

/** The index against the log, and the log against the index: neither holds what the other does not. */
export function checkLog(snapshot: StoreSnapshot, records: ReadRecords, report: Report): LogFindings {
  const firsts = new IndexCheck(snapshot, records, report).run()
  return new BodiesCheck(snapshot, records, firsts, report).run()
}

class IndexCheck {
  readonly #snapshot: StoreSnapshot
  readonly #records: ReadRecords
  readonly #report: Report
  readonly #firsts = new Map<QueueId, SequenceNumber>()
  #queue: QueueId = 0
  /** What the queue held through the run before. */
  #before: Backlog | undefined = undefined

  constructor(snapshot: StoreSnapshot, records: ReadRecords, report: Report) {
    this.#snapshot = snapshot
    this.#records = records
    this.#report = report
  }

  /** Returns the first sequence number that the index has of each queue. */
  run(): ReadonlyMap<QueueId, SequenceNumber> {
    for (const { key, value } of this.#snapshot.entries('index')) {
      if (key.byteLength !== indexKey(0, 0).byteLength) this.#report(`the index has a key of ${key.byteLength} bytes`)
      else this.#entry(queueOfIndexKey(key), sequenceOfIndexKey(key), value)
    }
    return this.#firsts
  }

  #entry(queue: QueueId, last: SequenceNumber, value: Uint8Array): void {
    const what = `message ${last} in queue ${queue}`
    const { sequencesGiven } = this.#records.totals
    if (last > sequencesGiven) this.#report(`${what} is beyond ${sequencesGiven}, the last that was given`)
    const run = decode(what, value, this.#report, () => readIndexRun(last, value))
    const first = run?.messages[0]?.sequence ?? last
    if (queue !== this.#queue || this.#firsts.size === 0) this.#begin(queue, first)
    this.#compare(`message ${first} in queue ${queue}`, run)
    this.#before = run && heldThrough(run, Infinity)
    if (run !== undefined) this.#bodies(queue, run)
  }

  /** The log has each of the messages, as one of this queue. */
  #bodies(queue: QueueId, { bodiesAt, messages }: IndexRun): void {
    const value = this.#snapshot.value('log', logKey(bodiesAt)) ?? NOTHING
    const bodies = value.byteLength === 0 ? undefined : new Bodies(bodiesAt, value)
    for (const { sequence } of messages) {
      const what = `message ${sequence} in queue ${queue}`
      // What cannot be read is told of where the log is read.
      const isThere = bodies === undefined ? false : decode(what, value, unreported, () => bodies.moveTo(sequence))
      if (isThere === false) this.#report(`${what} is not in the log`)
      const queues = isThere === true ? decode(what, value, unreported, () => bodies?.readQueues()) : undefined
      if (queues?.includes(queue) === false) this.#report(`${what} is not one of that queue, as the log has it`)
    }
  }

  #begin(queue: QueueId, first: SequenceNumber): void {
    this.#queue = queue
    this.#before = undefined
    this.#firsts.set(queue, first)
    const { queues, trims } = this.#records
    if (!queues.has(queue) && !trims.has(queue)) {
      this.#report(`the index has messages of queue ${queue}, which there is not, and which is not being cut`)
    }
  }

  /** The counts go on from those of the run before. */
  #compare(what: string, run: IndexRun | undefined): void {
    const before = this.#before
    if (run === undefined || before === undefined) return
    if (run.messagesBefore !== before.messages || run.bytesBefore !== before.bytes) {
      const said = `${run.messagesBefore} messages and ${run.bytesBefore} bytes`
      this.#report(`${what} says that ${said} are before it; there are ${before.messages} and ${before.bytes}`)
    }
  }
}

const NOTHING = new Uint8Array(0)

class BodiesCheck {
  readonly #snapshot: StoreSnapshot
  readonly #records: ReadRecords
  readonly #firsts: ReadonlyMap<QueueId, SequenceNumber>
  readonly #report: Report
  readonly #wanted: ReadonlySet<SequenceNumber>
  readonly #inFlight = new Set<SequenceNumber>()
  #messages = 0
  #bytes = 0

  constructor(snapshot: StoreSnapshot, records: ReadRecords, firsts: ReadonlyMap<QueueId, SequenceNumber>, report: Report) {
    this.#snapshot = snapshot
    this.#records = records
    this.#firsts = firsts
    this.#report = report
    const progress = [...records.sessions.values()].flatMap((session) => session.progress ?? [])
    this.#wanted = new Set(progress.flatMap(({ inflight }) => inflight.map(({ sequence }) => sequence)))
  }

  run(): LogFindings {
    const { sequencesGiven } = this.#records.totals
    for (const { key, value } of this.#snapshot.entries('log')) {
      if (key.byteLength === logKey(0).byteLength) this.#entry(sequenceOfLogKey(key), value)
      else this.#report(`the log has a key of ${key.byteLength} bytes`)
    }
    return { summary: { messages: this.#messages, messageBytes: this.#bytes, sequencesGiven }, inFlight: this.#inFlight }
  }

  #entry(key: SequenceNumber, value: Uint8Array): void {
    const bodies = new Bodies(key, value)
    let isHeld = false
    /** The first that no queue holds: cut off, and left where it is, if others behind it are held. */
    let unheld: SequenceNumber | undefined
    while (decode(`message ${bodies.sequence || key}`, value, this.#report, () => bodies.advance()) === true) {
      const { sequence } = bodies
      const body = decode(`message ${sequence}`, value, this.#report, () => bodies.read())
      const isOneHeld = body === undefined || this.#isHeld(sequence, key, body)
      if (isOneHeld) this.#count(sequence, body)
      else if (isHeld) this.#report(`message ${sequence} is in the log and in no queue`)
      else unheld ??= sequence
      isHeld ||= isOneHeld
    }
    if (!isHeld && unheld !== undefined) this.#report(`message ${unheld} is in the log and in no queue`)
  }

  #count(sequence: SequenceNumber, body: LogValue | undefined): void {
    const { sequencesGiven } = this.#records.totals
    if (sequence > sequencesGiven) this.#report(`message ${sequence} is beyond ${sequencesGiven}, the last that was given`)
    this.#messages++
    if (body === undefined) return
    this.#bytes += messageBytes(body.message)
    if (this.#wanted.has(sequence)) this.#inFlight.add(sequence)
  }

  /** Whether a queue has the message, and its body under this key. */
  #isHeld(sequence: SequenceNumber, key: SequenceNumber, { message, queues }: LogValue): boolean {
    const bytes = messageBytes(message)
    let holders = 0
    let onlyHolder: QueueId | undefined
    for (const queue of queues) {
      const run = this.#snapshot.runWith(queue, sequence)
      if (run?.bodiesAt !== key) {
        this.#lookForGap(queue, sequence)
        continue
      }
      holders++
      if (run.isOnly) onlyHolder = queue
      const measured = run.messages.find((each) => each.sequence === sequence)?.bytes
      if (measured !== bytes) {
        this.#report(`message ${sequence} measures ${bytes} bytes, and ${measured} as queue ${queue} has it`)
      }
    }
    if (holders > 1 && onlyHolder !== undefined) {
      this.#report(`message ${sequence} is in ${holders} queues, and queue ${onlyHolder} takes it for its own`)
    }
    return holders > 0
  }

  /** Queues are cut from their beginnings: what is missing behind that is lost. */
  #lookForGap(queue: QueueId, sequence: SequenceNumber): void {
    const first = this.#firsts.get(queue)
    if (first !== undefined && sequence > first && this.#records.queues.has(queue)) {
      this.#report(`message ${sequence} is missing in queue ${queue}, which begins with ${first}`)
    }
  }
}
