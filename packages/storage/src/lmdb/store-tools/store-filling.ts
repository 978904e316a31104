import type { QueueId } from '../../records.ts'
import type { CommitNumber, Store, StoreListener } from '../../store.ts'
import type { SequenceNumber, StoredMessage } from '../../stored-message.ts'
import { messageBytes } from '../../message-bytes.ts'
import { LINE_KINDS } from './export-format.ts'
import { FieldMistake } from './import-fields.ts'
import type { ImportedGroup, ImportedSession, ImportLine } from './import-lines.ts'
import { renumberGroup, renumberProgress, renumberSubscription, SequenceMap } from './sequence-map.ts'

/** Changes of so many lines, or with messages of so many bytes, are committed before more are taken. */
const SLICE_LINES = 4_000
const SLICE_BYTES = 4 * 1_024 * 1_024

/** What a sequence number without a message is taken with. */
const NO_MESSAGE: StoredMessage = {
  topicName: '',
  payload: new Uint8Array(0),
  qos: 0,
  retain: false,
  properties: {},
  publisherClientId: '',
  publishedAtMs: 0,
  expiresAtMs: Infinity
}

/** How much was taken of each kind. */
export interface FilledCounts {
  readonly queues: number
  readonly sessions: number
  readonly sharedSubscriptions: number
  readonly messages: number
  readonly retainedMessages: number
  readonly wills: number
}

/** Fills a new store with the lines of an export, as they come. */
export class StoreFilling implements StoreListener {
  readonly #store: Store
  readonly counts: { -readonly [Kind in keyof FilledCounts]: number } = {
    queues: 0,
    sessions: 0,
    sharedSubscriptions: 0,
    messages: 0,
    retainedMessages: 0,
    wills: 0
  }
  /** The place of the last line's kind among LINE_KINDS; -1: there was none. */
  #reached = -1
  readonly #queues = new Map<string, QueueId>()
  readonly #sessions = new Map<string, ImportedSession>()
  readonly #groups = new Map<string, ImportedGroup>()
  #map: SequenceMap | undefined = undefined
  #lastMessage: SequenceNumber = 0
  #hasRecords = false
  #linesInSlice = 0
  #bytesInSlice = 0
  #waiting: { readonly commit: CommitNumber; readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined =
    undefined

  constructor(store: Store) {
    this.#store = store
  }

  onCommitted(commit: CommitNumber): void {
    const waiting = this.#waiting
    if (waiting !== undefined && commit >= waiting.commit) waiting.resolve()
  }

  onCommitFailed(_commit: CommitNumber, error: Error): void {
    this.#waiting?.reject(error)
  }

  /**
   * Returns what is to be waited for before the next line.
   *
   * @throws FieldMistake if the line cannot follow those before it
   */
  take(line: ImportLine): Promise<void> | undefined {
    this.#follow(line.kind)
    switch (line.kind) {
      case 'godwit-export':
        break
      case 'queue':
        this.#demandNew(this.#queues.has(line.topicFilter), 'topicFilter', line.topicFilter)
        this.#queues.set(line.topicFilter, this.#store.openQueue(line.topicFilter))
        this.counts.queues++
        break
      case 'session': {
        const { clientId } = line.session
        this.#demandNew(this.#sessions.has(clientId), 'clientId', clientId)
        this.#sessions.set(clientId, line)
        this.counts.sessions++
        break
      }
      case 'sharedSubscription': {
        const { filter } = line.group
        this.#demandNew(this.#groups.has(filter), 'filter', filter)
        this.#groups.set(filter, line)
        this.counts.sharedSubscriptions++
        break
      }
      case 'message':
        this.#message(line)
        break
      case 'retained': {
        const map = this.#mapWithRecords()
        const { topicName } = line.message
        this.#demandNew(this.#store.hasRetained(topicName), 'message.topicName', topicName)
        this.#store.putRetained(line.message, map.ofRetained(line.sequence))
        this.#count(line.message)
        this.counts.retainedMessages++
        break
      }
      case 'received':
        this.#owned(line.clientId)
        this.#store.putReceived(line.clientId, line.packetIdentifier, line.message)
        this.#count(line.message)
        break
      case 'inflight':
        this.#owned(line.clientId)
        this.#store.putInflight(line.clientId, line.packetIdentifier, line.message)
        this.#count(line.message)
        break
      case 'will':
        this.#mapWithRecords()
        this.#store.putWill(line.will)
        this.#count(line.will.message)
        this.counts.wills++
        break
      case 'end':
        this.#mapWithRecords()
        break
    }
    this.#linesInSlice++
    return this.#linesInSlice >= SLICE_LINES || this.#bytesInSlice >= SLICE_BYTES ? this.settle() : undefined
  }

  /** @throws FieldMistake if the last line was not the end */
  demandEnd(): void {
    if (this.#reached === LINE_KINDS.indexOf('end')) return
    throw new FieldMistake('the export ends without its last line, {"kind":"end"}: it is not whole')
  }

  /** Has all that was taken committed. */
  settle(): Promise<void> {
    this.#linesInSlice = 0
    this.#bytesInSlice = 0
    this.#store.hasten()
    const commit = this.#store.gatheringCommit
    // A change that alters nothing: without one, this commit is not made.
    this.#store.dropQueue(0)
    return new Promise((resolve, reject) => {
      this.#waiting = { commit, resolve, reject }
    })
  }

  #message({ sequence, queues, message }: Extract<ImportLine, { kind: 'message' }>): void {
    if (sequence <= this.#lastMessage) {
      throw new FieldMistake(
        `sequence is ${sequence}; accepted is a number above ${this.#lastMessage}, that of the message before`
      )
    }
    this.#lastMessage = sequence
    const ids = queues.map((topicFilter) => this.#queueOf(topicFilter))
    if (new Set(ids).size < ids.length) throw new FieldMistake('queues names one twice')
    const map = this.#mapOfAll()
    map.reach(sequence)
    map.passed(sequence, this.#store.append(message, ids))
    this.#count(message)
    this.counts.messages++
  }

  #queueOf(topicFilter: string): QueueId {
    const queue = this.#queues.get(topicFilter)
    if (queue !== undefined) return queue
    throw new FieldMistake(`queues has ${JSON.stringify(topicFilter)}; accepted are the Topic Filters of lines of the kind queue`)
  }

  #owned(clientId: string): void {
    this.#mapWithRecords()
    if (this.#sessions.has(clientId)) return
    throw new FieldMistake(`clientId is ${JSON.stringify(clientId)}; accepted are those of lines of the kind session`)
  }

  #count(message: StoredMessage): void {
    this.#bytesInSlice += messageBytes(message)
  }

  #follow(kind: ImportLine['kind']): void {
    const place = LINE_KINDS.indexOf(kind)
    const last = LINE_KINDS[this.#reached]
    const isOnce = kind === 'godwit-export' || kind === 'end'
    if (last === undefined ? place > 0 : place < this.#reached || (isOnce && place === this.#reached)) {
      const found = last === undefined ? `${kind}, and the first` : `${kind}, after ${last}`
      throw new FieldMistake(`kind is ${found}; accepted is the order ${LINE_KINDS.join(', ')}`)
    }
    this.#reached = place
  }

  #demandNew(isKnown: boolean, name: string, value: string): void {
    if (isKnown) throw new FieldMistake(`${name} is ${JSON.stringify(value)} a second time; accepted is each once`)
  }

  /** All positions are known once messages begin. */
  #mapOfAll(): SequenceMap {
    if (this.#map !== undefined) return this.#map
    const positions = new Set<SequenceNumber>()
    const note = (sequence: SequenceNumber): SequenceNumber => {
      positions.add(sequence)
      return sequence
    }
    for (const { subscriptions, progress } of this.#sessions.values()) {
      for (const subscription of subscriptions) renumberSubscription(subscription, note)
      renumberProgress(progress, note)
    }
    for (const { group, progress } of this.#groups.values()) {
      renumberGroup(group, note)
      renumberProgress(progress, note)
    }
    this.#map = new SequenceMap(positions, () => this.#store.append(NO_MESSAGE, []))
    return this.#map
  }

  /** All positions have numbers once messages have passed: then sessions and shared subscriptions are put. */
  #mapWithRecords(): SequenceMap {
    const map = this.#mapOfAll()
    if (this.#hasRecords) return map
    this.#hasRecords = true
    map.reach(Infinity)
    const of = (position: SequenceNumber): SequenceNumber => map.of(position)
    for (const [clientId, { session, subscriptions, progress }] of this.#sessions) {
      this.#store.putSession(session)
      for (const subscription of subscriptions) this.#store.putSubscription(clientId, renumberSubscription(subscription, of))
      this.#store.touch({ kind: 'session', key: clientId, progress: () => renumberProgress(progress, of) })
    }
    for (const [filter, { group, progress }] of this.#groups) {
      this.#store.putSharedGroup(renumberGroup(group, of))
      this.#store.touch({ kind: 'group', key: filter, progress: () => renumberProgress(progress, of) })
    }
    return map
  }
}
