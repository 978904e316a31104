import assert from 'node:assert'
import type { Clock } from '@godwit/broker'
import { NO_PROPERTIES } from '@godwit/protocol'
import {
  type Backlog,
  type CommitNumber,
  type Consumer,
  type LogEntry,
  type MaybePromise,
  MemoryStore,
  type QueueId,
  type QueuePosition,
  type RetainedPage,
  type SequenceNumber,
  type SessionRecord,
  type SharedGroupRecord,
  type Store,
  type StoreContents,
  type StoredMessage,
  type StoreListener,
  type SubscriptionRecord,
  type WillRecord
} from '@godwit/storage'
import { deepCopy } from './deep-copy.ts'
import { type DiskFault, isLost, spoil, spoilQueues, spoilSubscription } from './disk-faults.ts'
import { randomBelow, seededRandom } from './random.ts'
import type { SteppedStore } from './stepped-store.ts'

/** As a store on a real disk waits after a commit that failed. */
const RETRY_MS = 100
/** Sequence numbers that a crash may leave out, as a store that sets them aside in advance does. */
const GAP_MAX = 3

export interface SimDiskOptions {
  /**
   * Decides what becomes of a commit that was being written when the process died, which reads are answered later, and
   * which sequence numbers are left out. Default: nothing of such a commit is kept, reads are answered at once, no gaps.
   */
  readonly random?: (() => number) | undefined
  /** A mistake that the disk is to make. */
  readonly fault?: DiskFault | undefined
  /** Has the disk work by itself: called back for each step, later. Default: it is stepped. */
  readonly schedule?: ((step: () => void) => void) | undefined
}

/** A change as it was made, to be made again. */
interface Change {
  readonly method: keyof Store
  readonly apply: (store: Store) => void
}

/** What one commit wrote. */
interface DiskRecord {
  readonly changes: readonly Change[]
  /** The process died while it was being written: a checksum would tell. */
  readonly isTorn: boolean
}

interface CommitInFlight {
  readonly commit: CommitNumber
  readonly changes: readonly Change[]
}

/**
 * A disk with a journal: each commit is one record, of which nothing counts until it is synced.
 *
 * ```
 *   changes ──▷ gathered ──step──▷ written ──step──▷ synced: the listener hears
 *      │           └── lost ──┐       └── by the seed lost, torn or kept
 *      ▽                    a crash
 *   in memory, where reads see them at once
 * ```
 * Opened again, it makes the changes of the records once more. What comes back is a copy: whoever changes what it has put
 * is found out.
 */
export class SimDisk implements SteppedStore {
  readonly #clock: Clock
  readonly #random: () => number
  /** Whether it decides anything by chance. */
  readonly #isRandom: boolean
  readonly #fault: DiskFault | undefined
  readonly #schedule: ((step: () => void) => void) | undefined
  readonly #journal: DiskRecord[] = []

  /** By topic filter. */
  readonly #queues = new Map<string, QueueId>()
  /** What was changed up to now, in memory. */
  #live: MemoryStore = new MemoryStore()
  #listener: StoreListener | undefined = undefined
  /** Asks the consumers that were touched, and has their progress noted. */
  #askConsumers: (() => void) | undefined = undefined
  #gatheringCommit: CommitNumber = 1
  #isGathering = false
  #gathered: Change[] = []
  #inFlight: CommitInFlight | undefined = undefined
  /** Reads that are answered later. */
  #lateAnswers: (() => void)[] = []

  #isHeld = false
  #isFull = false
  #nextFailure: Error | undefined = undefined
  #failure: Error | undefined = undefined
  /** After a commit that failed, until the next is tried. */
  #cancelRetry: (() => void) | undefined = undefined

  /** @param clock what a commit that failed is tried again by */
  constructor(clock: Clock, { random, fault, schedule }: SimDiskOptions = {}) {
    this.#clock = clock
    this.#random = random ?? seededRandom(1)
    this.#isRandom = random !== undefined
    this.#fault = fault
    this.#schedule = schedule
  }

  async open(listener: StoreListener): Promise<StoreContents> {
    assert(this.#listener === undefined, 'the store is open already')
    const live = new MemoryStore({ schedule: (commit) => (this.#askConsumers = commit) })
    await live.open(SILENT)
    if (this.#journal.at(-1)?.isTorn === true && this.#fault !== 'tears-silently') this.#journal.pop()
    for (const { changes } of this.#journal) {
      for (const { apply } of changes) apply(live)
      this.#ask()
    }
    await live.close()
    const contents = await live.open(SILENT)
    this.#queues.clear()
    for (const { queue, topicFilter } of contents.queues) this.#queues.set(topicFilter, queue)
    this.#live = live
    this.#listener = listener
    this.#gatheringCommit = 1
    return contents
  }

  /** @throws whatever the last commit failed of */
  async close(): Promise<void> {
    this.#isHeld = false
    for (let failures = 0; this.#hasWork && failures < 2;) {
      this.#endPause()
      this.#work()
      if (this.#cancelRetry !== undefined) failures++
    }
    this.#letGo()
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
  }

  /** The process dies: what is not synced is lost, but for what of the last record the disk has kept. */
  async crashes(): Promise<void> {
    if (this.#isRandom) this.#keepSome()
    this.#isHeld = false
    this.#failure = undefined
    this.#letGo()
  }

  #keepSome(): void {
    const written = this.#inFlight?.changes ?? []
    const chance = written.length > 0 ? this.#random() : 0
    if (chance > 3 / 4) this.#journal.push({ changes: written, isTorn: false })
    else if (chance > 1 / 2) {
      this.#journal.push({ changes: written.slice(0, randomBelow(this.#random, written.length)), isTorn: true })
      return
    }
    const gap = randomBelow(this.#random, GAP_MAX + 1)
    const leaveOut = (store: Store): void => {
      for (let left = 0; left < gap; left++) store.append(NOTHING, [])
    }
    this.#journal.push({ changes: [{ method: 'append', apply: leaveOut }], isTorn: false })
  }

  #letGo(): void {
    this.#listener = undefined
    this.#askConsumers = undefined
    this.#gathered = []
    this.#isGathering = false
    this.#inFlight = undefined
    this.#lateAnswers = []
    this.#endPause()
  }

  /** From here on commits wait for `releasesCommits`: what is gathered is not written, and what is written not synced. */
  holdsCommits(): void {
    this.#isHeld = true
  }

  /** Lets the waiting commits, and those that follow, be made. */
  releasesCommits(): void {
    this.#isHeld = false
    this.#wake()
  }

  /** The next commit fails; what it changed joins the one after it. */
  failsNextCommit(error: Error = noRoom()): void {
    this.#nextFailure = error
  }

  /** From here on every commit fails, for want of room, until `hasRoomAgain`. */
  runsOutOfRoom(): void {
    this.#isFull = true
  }

  /** No commit fails any more. */
  hasRoomAgain(): void {
    this.#isFull = false
    this.#nextFailure = undefined
  }

  /** Whether a commit is written and not synced. */
  get isWriting(): boolean {
    return this.#inFlight !== undefined
  }

  step(): boolean {
    if (this.#isHeld || this.#listener === undefined) return false
    return this.#work()
  }

  #work(): boolean {
    const answer = this.#lateAnswers.shift()
    if (answer !== undefined) answer()
    else if (this.#inFlight !== undefined) this.#sync(this.#inFlight)
    else if (this.#mayBegin) this.#write()
    else return false
    this.#wake()
    return true
  }

  get #hasWork(): boolean {
    return this.#lateAnswers.length > 0 || this.#inFlight !== undefined || this.#isGathering || this.#gathered.length > 0
  }

  get #mayBegin(): boolean {
    return this.#cancelRetry === undefined && (this.#isGathering || this.#failure !== undefined)
  }

  /** A store that works by itself goes on. */
  #wake(): void {
    if (this.#schedule !== undefined && this.#hasWork) this.#schedule(() => this.step())
  }

  #write(): void {
    const commit = this.#gatheringCommit++
    this.#isGathering = false
    this.#ask()
    this.#inFlight = { commit, changes: this.#gathered }
    this.#gathered = []
    if (this.#fault === 'acknowledges-early') this.#listener?.onCommitted(commit)
  }

  #sync({ commit, changes }: CommitInFlight): void {
    this.#inFlight = undefined
    const error = this.#isFull ? noRoom() : this.#nextFailure
    this.#nextFailure = undefined
    if (error !== undefined) {
      this.#failure = error
      this.#gathered = [...changes, ...this.#gathered]
      this.#cancelRetry = this.#clock.at(this.#clock.now() + RETRY_MS, () => this.#endPause())
      this.#listener?.onCommitFailed(commit, error)
      return
    }
    this.#failure = undefined
    this.#journal.push({ changes, isTorn: false })
    // Some stores begin the next commit before they tell of this one.
    if (this.#mayBegin && (!this.#isRandom || this.#random() < 0.5)) this.#write()
    if (this.#fault !== 'acknowledges-early') this.#listener?.onCommitted(commit)
  }

  #endPause(): void {
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
    this.#wake()
  }

  #ask(): void {
    const ask = this.#askConsumers
    this.#askConsumers = undefined
    ask?.()
  }

  /** Makes a change in memory, and notes it for the commit being gathered. @param written what a fault makes of it there */
  #change<T>(method: keyof Store, apply: (store: Store) => T, written: (store: Store) => void = apply): T {
    this.#gather()
    const result = apply(this.#live)
    if (!isLost(this.#fault, method, this.#random)) this.#gathered.push({ method, apply: written })
    return result
  }

  #gather(): void {
    assert(this.#listener !== undefined, 'the store is not open')
    if (this.#isGathering) return
    this.#isGathering = true
    this.#wake()
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  get gatheringCommit(): CommitNumber {
    return this.#gatheringCommit
  }

  /** Every commit is made at once. */
  hasten(): void {}

  get lastSequence(): SequenceNumber {
    return this.#live.lastSequence
  }

  get storedBytes(): number {
    return this.#live.storedBytes
  }

  get retainedCount(): number {
    return this.#live.retainedCount
  }

  hasRetained(topicName: string): boolean {
    return this.#live.hasRetained(topicName)
  }

  backlog(position: QueuePosition): Backlog {
    return this.#live.backlog(position)
  }

  read(positions: readonly QueuePosition[], limit: number): MaybePromise<readonly LogEntry[]> {
    return this.#answer(() => this.#live.read(positions, limit))
  }

  readRetained(topicFilter: string, after: string | undefined, limit: number): MaybePromise<RetainedPage> {
    return this.#answer(() => this.#live.readRetained(topicFilter, after, limit))
  }

  /** The bytes of the retained messages, as `storedBytes` counts them. */
  get retainedBytes(): number {
    let bytes = 0
    for (let after: string | undefined, isOver = false; !isOver; isOver = after === undefined) {
      const page = this.#live.readRetained('#', after, 1000)
      for (const { message } of page.messages) bytes += Buffer.byteLength(message.topicName) + message.payload.byteLength
      after = page.next
    }
    return bytes
  }

  /** Some reads are answered later, with what there is by then. */
  #answer<T>(read: () => T): MaybePromise<T> {
    if (!this.#isRandom || this.#random() < 0.75) return read()
    return new Promise((resolve) => {
      this.#lateAnswers.push(() => resolve(read()))
      this.#wake()
    })
  }

  openQueue(topicFilter: string): QueueId {
    const known = this.#queues.get(topicFilter)
    if (known !== undefined) return known
    const queue = this.#change('openQueue', (store) => store.openQueue(topicFilter))
    this.#queues.set(topicFilter, queue)
    return queue
  }

  dropQueue(queue: QueueId): void {
    for (const [topicFilter, dropped] of this.#queues) if (dropped === queue) this.#queues.delete(topicFilter)
    this.#change('dropQueue', (store) => store.dropQueue(queue))
  }

  trimQueue(queue: QueueId, through: SequenceNumber): void {
    this.#change('trimQueue', (store) => store.trimQueue(queue, through))
  }

  append(message: StoredMessage, queues: readonly QueueId[]): SequenceNumber {
    const kept = queues.length > 0 ? deepCopy(message) : NOTHING
    const ids = [...queues]
    const writtenIds = spoilQueues(this.#fault, kept, ids)
    return this.#change(
      'append',
      (store) => store.append(kept, ids),
      (store) => store.append(kept, writtenIds)
    )
  }

  putSession(record: SessionRecord): void {
    const kept = deepCopy(record)
    this.#change('putSession', (store) => store.putSession(kept))
  }

  deleteSession(clientId: string): void {
    this.#change('deleteSession', (store) => store.deleteSession(clientId))
  }

  putSubscription(clientId: string, record: SubscriptionRecord): void {
    const kept = deepCopy(record)
    const written = spoilSubscription(this.#fault, kept)
    this.#change(
      'putSubscription',
      (store) => store.putSubscription(clientId, kept),
      (store) => store.putSubscription(clientId, written)
    )
  }

  deleteSubscription(clientId: string, topicFilter: string): void {
    this.#change('deleteSubscription', (store) => store.deleteSubscription(clientId, topicFilter))
  }

  putSharedGroup(record: SharedGroupRecord): void {
    const kept = deepCopy(record)
    this.#change('putSharedGroup', (store) => store.putSharedGroup(kept))
  }

  deleteSharedGroup(filter: string): void {
    this.#change('deleteSharedGroup', (store) => store.deleteSharedGroup(filter))
  }

  /** What the consumer tells when its commit is written is a change of that commit. */
  touch(consumer: Consumer): void {
    const { kind, key } = consumer
    this.#gather()
    this.#live.touch({
      kind,
      key,
      progress: () => {
        const told = spoil(this.#fault, deepCopy(consumer.progress()))
        this.#gathered.push({ method: 'touch', apply: (store) => store.touch({ kind, key, progress: () => told }) })
        return told
      }
    })
  }

  putReceived(clientId: string, packetIdentifier: number, message: StoredMessage): void {
    const kept = deepCopy(message)
    this.#change('putReceived', (store) => store.putReceived(clientId, packetIdentifier, kept))
  }

  deleteReceived(clientId: string, packetIdentifier: number): void {
    this.#change('deleteReceived', (store) => store.deleteReceived(clientId, packetIdentifier))
  }

  putInflight(clientId: string, packetIdentifier: number, message: StoredMessage): void {
    const kept = deepCopy(message)
    this.#change('putInflight', (store) => store.putInflight(clientId, packetIdentifier, kept))
  }

  deleteInflight(clientId: string, packetIdentifier: number): void {
    this.#change('deleteInflight', (store) => store.deleteInflight(clientId, packetIdentifier))
  }

  putWill(record: WillRecord): void {
    const kept = deepCopy(record)
    this.#change('putWill', (store) => store.putWill(kept))
  }

  deleteWill(clientId: string): void {
    this.#change('deleteWill', (store) => store.deleteWill(clientId))
  }

  putRetained(message: StoredMessage, sequence: SequenceNumber): void {
    const kept = deepCopy(message)
    this.#change('putRetained', (store) => store.putRetained(kept, sequence))
  }

  deleteRetained(topicName: string): void {
    this.#change('deleteRetained', (store) => store.deleteRetained(topicName))
  }
}

const SILENT: StoreListener = { onCommitted() {}, onCommitFailed() {} }

const NOTHING: StoredMessage = {
  topicName: '',
  payload: new Uint8Array(0),
  qos: 0,
  retain: false,
  properties: NO_PROPERTIES,
  publisherClientId: '',
  publishedAtMs: 0,
  expiresAtMs: Infinity
}

function noRoom(): Error {
  return new Error('no space left on device')
}
