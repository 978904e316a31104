import { MqttError, parseSharedSubscription } from '@godwit/protocol'
import {
  historyQueueFilter,
  OPEN_END,
  progressAt,
  type ProgressRecord,
  type SequenceRange,
  type SubscriptionRecord
} from '../../records.ts'
import type { SequenceNumber } from '../../stored-message.ts'
import { inflightKey } from '../layout.ts'
import { CutCheck } from './check-cuts.ts'
import { nameOfGroup, nameOfSession, type ReadRecords, type ReadSession, type Report } from './read-records.ts'
import type { StoreSnapshot } from './store-snapshot.ts'

/** The highest packet identifier ([5.0 2.2.1]). */
const PACKET_IDENTIFIER_MAX = 0xff_ff

/**
 * Sessions and shared subscriptions: how far they have come, what they have in flight, and the queues that they read.
 *
 * @param inFlight of what is in flight, what the log has
 * @returns the topic filters of the queues that none of them reads
 */
export function checkConsumers(
  snapshot: StoreSnapshot,
  records: ReadRecords,
  inFlight: ReadonlySet<SequenceNumber>,
  report: Report
): readonly string[] {
  return new ConsumersCheck(snapshot, records, inFlight, report).run()
}

class ConsumersCheck {
  readonly #snapshot: StoreSnapshot
  readonly #records: ReadRecords
  readonly #inFlight: ReadonlySet<SequenceNumber>
  readonly #report: Report
  readonly #cuts: CutCheck
  readonly #given: SequenceNumber
  readonly #queues: ReadonlySet<string>
  readonly #groups: ReadonlySet<string>
  /** Topic filters whose queues someone reads. */
  readonly #read = new Set<string>()
  /** The full filters of shared subscriptions that someone has. */
  readonly #joined = new Set<string>()

  constructor(snapshot: StoreSnapshot, records: ReadRecords, inFlight: ReadonlySet<SequenceNumber>, report: Report) {
    this.#snapshot = snapshot
    this.#records = records
    this.#inFlight = inFlight
    this.#report = report
    this.#cuts = new CutCheck(snapshot, records, report)
    this.#given = records.totals.sequencesGiven
    this.#queues = new Set(records.queues.values())
    this.#groups = new Set(Array.from(records.groups.values(), ({ record }) => record.filter))
  }

  run(): readonly string[] {
    for (const [number, session] of this.#records.sessions) this.#session(number, session)
    for (const { record, progress } of this.#records.groups.values()) {
      const name = nameOfGroup(record.filter)
      if (!this.#joined.has(record.filter)) this.#report(`${name} has no members`)
      this.#position(name, 'begins at', record.since)
      this.#skipped(name, record.skipped)
      this.#progress(name, progress ?? NOTHING_YET)
      const topicFilter = this.#sharedFilter(name, record.filter)
      if (topicFilter !== undefined) this.#reads(name, topicFilter, record, progress ?? NOTHING_YET, undefined)
    }
    const { lastQueue } = this.#records.totals
    for (const queue of this.#records.queues.keys()) {
      if (queue > lastQueue) this.#report(`queue ${queue} is beyond ${lastQueue}, the last that was made`)
    }
    return [...this.#queues].filter((topicFilter) => !this.#read.has(topicFilter)).sort()
  }

  #session(number: number, { record, subscriptions, progress = NOTHING_YET }: ReadSession): void {
    const name = nameOfSession(record.clientId)
    this.#progress(name, progress)
    for (const subscription of subscriptions) this.#subscription(record.clientId, subscription, progress)
    const identifiers = new Set<number>()
    for (const { packetIdentifier, sequence } of progress.inflight) {
      const what = `what ${name} has in flight under packet identifier ${packetIdentifier}`
      this.#position(what, 'is message', sequence)
      this.#identifier(name, packetIdentifier, identifiers)
      if (this.#snapshot.has('records', inflightKey(number, packetIdentifier))) continue
      if (!this.#inFlight.has(sequence)) this.#report(`${what} is neither in the log nor kept with it`)
    }
    for (const packetIdentifier of progress.released) this.#identifier(name, packetIdentifier, identifiers)
  }

  #subscription(clientId: string, subscription: SubscriptionRecord, progress: ProgressRecord): void {
    const { topicFilter, qos, since, skipped, leaving, replay, retainedScan } = subscription
    const name = `subscription ${JSON.stringify(topicFilter)} of ${nameOfSession(clientId)}`
    this.#position(name, 'begins at', since)
    this.#skipped(name, skipped)
    if (retainedScan !== undefined) this.#position(name, 'wants what was retained up to', retainedScan.upTo)
    if (replay?.after !== undefined) this.#position(name, 'wants history after', replay.after)
    if (leaving !== undefined) this.#position(name, 'replaced another at', leaving.until)
    // While its history is sent to it, it reads no queue of its own.
    const isReplaying = qos > 0 && replay?.after !== undefined
    if (isReplaying) this.#readsHistory(name, historyQueueFilter(replay.historyFilter))
    if (topicFilter.startsWith('$share/')) {
      this.#joined.add(topicFilter)
      if (qos > 0 && !this.#groups.has(topicFilter)) this.#report(`${name}: there is no such ${nameOfGroup(topicFilter)}`)
    } else if (qos > 0 && !isReplaying) this.#reads(name, topicFilter, subscription, progress, clientId)
    else if (leaving !== undefined) this.#reads(name, topicFilter, { ...subscription, ...leaving }, progress, clientId)
  }

  #readsHistory(name: string, topicFilter: string): void {
    const isThere = this.#queues.has(topicFilter)
    if (!isThere) this.#report(`${name} is being sent the history of a queue that is not there, ${topicFilter}`)
    this.#read.add(topicFilter)
  }

  #reads(name: string, topicFilter: string, reader: QueueReader, progress: ProgressRecord, clientId: string | undefined): void {
    if (!this.#queues.has(topicFilter)) this.#report(`${name} has no queue`)
    this.#read.add(topicFilter)
    this.#cuts.look(name, topicFilter, { ...reader, progress, clientId })
  }

  #progress(name: string, { cursor, finished }: ProgressRecord): void {
    this.#position(name, 'stands at', cursor)
    let before = cursor
    for (const sequence of finished) {
      if (sequence <= before) this.#report(`${name} has finished ${sequence}, which does not come after ${before}`)
      before = sequence
    }
    this.#position(name, 'has finished', before)
  }

  #skipped(name: string, skipped: readonly SequenceRange[]): void {
    let before = 0
    for (const { after, through } of skipped) {
      if (after < before || through <= after) this.#report(`${name} has given up ${after} to ${through}, behind ${before}`)
      before = through
    }
    if (before !== OPEN_END) this.#position(name, 'has given up what came before', before)
  }

  #identifier(name: string, packetIdentifier: number, seen: Set<number>): void {
    if (packetIdentifier < 1 || packetIdentifier > PACKET_IDENTIFIER_MAX) {
      this.#report(`${name} has a packet identifier ${packetIdentifier}`)
    }
    if (seen.has(packetIdentifier)) this.#report(`${name} has packet identifier ${packetIdentifier} in use twice`)
    seen.add(packetIdentifier)
  }

  #position(name: string, stands: string, sequence: SequenceNumber): void {
    if (sequence > this.#given) this.#report(`${name} ${stands} ${sequence}, beyond ${this.#given}, the last that was given`)
  }

  #sharedFilter(name: string, filter: string): string | undefined {
    try {
      const shared = parseSharedSubscription(filter)
      if (shared !== undefined) return shared.topicFilter
    } catch (error) {
      if (!(error instanceof MqttError)) throw error
    }
    this.#report(`${name} has no valid filter`)
    return undefined
  }
}

const NOTHING_YET = progressAt(0)

/** What a subscription, or a shared subscription's group, wants of its queue. */
interface QueueReader {
  readonly since: SequenceNumber
  readonly skipped: readonly SequenceRange[]
  readonly noLocal?: boolean
}
