import assert from 'node:assert'
import type { SessionRecord, SharedGroupRecord, StoreContents, SubscriptionRecord, WillRecord } from '../records.ts'
import type {
  Backlog,
  CommitNumber,
  Consumer,
  LogEntry,
  QueueId,
  QueuePosition,
  RetainedPage,
  Store,
  StoreListener
} from '../store.ts'
import type { SequenceNumber, StoredMessage } from '../stored-message.ts'
import { Batch, type TakenBatch } from './batch.ts'
import { CommitPacing } from './commit-pacing.ts'
import type { CommitOutcome } from './committer.ts'
import type { Trim } from './commit-messages.ts'
import { DataFile } from './data-file.ts'
import { readTotals, RecordKind, recordKey, writeTotals, type Totals } from './layout.ts'
import { damaged, StoreError } from './store-error.ts'
import { StoredLog } from './stored-log.ts'
import { StoredRecords } from './stored-records.ts'
import { StoredRetained } from './stored-retained.ts'

/** Sequence numbers set aside at a time, so that giving one changes nothing on disk. */
const SEQUENCES_SET_ASIDE = 65_536

const PAUSE_MS_MIN = 100
const PAUSE_MS_MAX = 5_000

/** How often room is looked for while there is little: who therefore changes nothing would otherwise never hear of it. */
const LOOK_FOR_ROOM_MS = 1_000

export interface LmdbStoreOptions {
  /** A folder for this store alone, made if there is none. */
  readonly path: string
}

/** What the thread is making; its number undefined: it only goes on cutting queues. */
interface CommitInFlight {
  readonly commit: CommitNumber | undefined
  readonly trims: readonly Trim[]
}

/**
 * A store on disk, in an LMDB file that a thread of its own writes.
 *
 * ```
 *   changes ──▶ gathered ──▶ in flight ──▶ on disk
 *               in memory    one commit,   tables, read through the page cache
 *                            one synced transaction
 * ```
 * One commit is in flight at a time; the next begins when it is done and those who sent what it held had a moment to send
 * more (see `CommitPacing`), or at the end of the turn in which the first change was made. Reads see all three. What no longer matters when its commit begins never reaches the disk, and a commit of
 * which nothing is left is done without it.
 *
 * A commit that fails (no room, an input/output error) is told, and its number not used again. Its changes stay, in
 * memory, where reads see them, and join the next commit, which is tried after 0.1 to 5 seconds, and again until one
 * succeeds: that commit makes durable whatever was changed before it, as any does. `failure` tells meanwhile what is
 * wrong. What the caller gathers in the meantime, it has to bound.
 */
export class LmdbStore implements Store {
  readonly #file: DataFile
  readonly #batch = new Batch()
  readonly #pacing = new CommitPacing()
  readonly #log: StoredLog
  readonly #records: StoredRecords
  readonly #retained: StoredRetained

  #listener: StoreListener | undefined = undefined
  #gatheringCommit: CommitNumber = 1
  #gathering = false
  #inFlight: CommitInFlight | undefined = undefined
  /** The next commit waits for more to come. */
  #isHolding = false
  #failure: StoreError | undefined = undefined
  #shortage: StoreError | undefined = undefined
  /** While there is a shortage. */
  #lookForRoom: NodeJS.Timeout | undefined = undefined
  /** Changes were lost, with the thread that had them: nothing after them can be made durable. */
  #isBroken = false
  /** After a commit that failed, until the next is tried. */
  #pause: NodeJS.Timeout | undefined = undefined
  #pauseMs = PAUSE_MS_MIN
  #reopening: Promise<void> | undefined = undefined
  #onSettled: (() => void) | undefined = undefined
  #wasOpened = false
  #isClosing = false
  /** As the last commit that began wrote them. */
  #totals: Totals = { sequencesGiven: 0, lastQueue: 0, retainedBytes: 0 }

  constructor({ path }: LmdbStoreOptions) {
    this.#file = new DataFile(path)
    this.#log = new StoredLog(this.#file, this.#batch)
    this.#records = new StoredRecords(this.#file, this.#batch)
    this.#retained = new StoredRetained(this.#file, this.#batch)
  }

  /** @throws StoreError if the folder is in use, damaged, of another format, or cannot be used */
  async open(listener: StoreListener): Promise<StoreContents> {
    assert(!this.#wasOpened, 'the store was opened already')
    this.#wasOpened = true
    await this.#file.open()
    try {
      const totals = this.#file.tables.records.getBinary(recordKey(RecordKind.Totals))
      if (totals !== undefined) this.#totals = readTotals(totals)
      this.#log.load(this.#totals.sequencesGiven, this.#totals.lastQueue)
      this.#retained.load(this.#totals.retainedBytes)
      const contents = { ...this.#records.load(), queues: this.#log.records }
      this.#listener = listener
      if (this.#log.hasTrims) this.#begin()
      return contents
    } catch (cause) {
      await this.#file.close()
      throw cause instanceof StoreError ? cause : damaged(cause instanceof Error ? cause.message : String(cause), { cause })
    }
  }

  /** @throws StoreError if the last commit failed, in which case nothing is left open all the same */
  async close(): Promise<void> {
    if (this.#listener === undefined) return
    this.#isClosing = true
    await this.#settle()
    if (this.#failure === undefined && this.#totals.sequencesGiven > this.#log.lastSequence) {
      // None of the numbers that were set aside was given, and none need be passed over.
      this.#writeTotals(this.#log.lastSequence)
      await this.#settle()
    }
    this.#listener = undefined
    await this.#file.close()
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Whether the folder held no store when this was opened. */
  get isNew(): boolean {
    return this.#file.isNew
  }

  /**
   * What the last commit failed of, or what it had to do with the last of the room: a broker that then takes in no new
   * messages, and goes on delivering, makes room by itself. undefined: all is well.
   */
  get failure(): StoreError | undefined {
    return this.#failure ?? this.#shortage
  }

  get gatheringCommit(): CommitNumber {
    return this.#gatheringCommit
  }

  get lastSequence(): SequenceNumber {
    return this.#log.lastSequence
  }

  openQueue(topicFilter: string): QueueId {
    const { queue, isNew } = this.#log.openQueue(topicFilter)
    if (isNew) this.#change()
    return queue
  }

  dropQueue(queue: QueueId): void {
    this.#change()
    this.#log.dropQueue(queue)
  }

  trimQueue(queue: QueueId, through: SequenceNumber): void {
    this.#change()
    this.#log.trimQueue(queue, through)
  }

  backlog(position: QueuePosition): Backlog {
    return this.#log.backlog(position)
  }

  get storedBytes(): number {
    return this.#log.bytes + this.#retained.bytes
  }

  append(message: StoredMessage, queues: readonly QueueId[]): SequenceNumber {
    this.#change()
    this.#pacing.messageCame()
    return this.#log.append(message, queues)
  }

  read(positions: readonly QueuePosition[], limit: number): readonly LogEntry[] {
    return this.#log.read(positions, limit)
  }

  putSession(record: SessionRecord): void {
    this.#change()
    this.#records.putSession(record)
  }

  deleteSession(clientId: string): void {
    this.#change()
    this.#records.deleteSession(clientId)
  }

  putSubscription(clientId: string, record: SubscriptionRecord): void {
    this.#change()
    this.#records.putSubscription(clientId, record)
  }

  deleteSubscription(clientId: string, topicFilter: string): void {
    this.#change()
    this.#records.deleteSubscription(clientId, topicFilter)
  }

  putSharedGroup(record: SharedGroupRecord): void {
    this.#change()
    this.#records.putGroup(record)
  }

  deleteSharedGroup(filter: string): void {
    this.#change()
    this.#records.deleteGroup(filter)
  }

  touch(consumer: Consumer): void {
    this.#change()
    this.#records.touch(consumer)
  }

  putReceived(clientId: string, packetIdentifier: number, message: StoredMessage): void {
    this.#change()
    this.#pacing.messageCame()
    this.#records.putReceived(clientId, packetIdentifier, message)
  }

  deleteReceived(clientId: string, packetIdentifier: number): void {
    this.#change()
    this.#records.deleteReceived(clientId, packetIdentifier)
  }

  putInflight(clientId: string, packetIdentifier: number, message: StoredMessage): void {
    this.#change()
    this.#records.putInflight(clientId, packetIdentifier, message)
  }

  deleteInflight(clientId: string, packetIdentifier: number): void {
    this.#change()
    this.#records.deleteInflight(clientId, packetIdentifier)
  }

  putWill(record: WillRecord): void {
    this.#change()
    this.#records.putWill(record)
  }

  deleteWill(clientId: string): void {
    this.#change()
    this.#records.deleteWill(clientId)
  }

  get retainedCount(): number {
    return this.#retained.count
  }

  hasRetained(topicName: string): boolean {
    return this.#retained.has(topicName)
  }

  putRetained(message: StoredMessage, sequence: SequenceNumber): void {
    this.#change()
    this.#retained.put({ sequence, message })
  }

  deleteRetained(topicName: string): void {
    this.#change()
    this.#retained.delete(topicName)
  }

  readRetained(topicFilter: string, after: string | undefined, limit: number): RetainedPage {
    return this.#retained.page(topicFilter, after, limit)
  }

  /** The first change after a commit began has the next one begin, unless that waits for another; all others cost little. */
  #change(): void {
    if (this.#gathering) return
    assert(this.#listener !== undefined, 'the store is not open')
    this.#gathering = true
    if (this.#isIdle) setImmediate(() => this.#isIdle && this.#gathering && this.#begin())
  }

  get #isIdle(): boolean {
    return this.#inFlight === undefined && this.#pause === undefined && !this.#isHolding
  }

  #begin(): void {
    const done = this.#start()
    if (done !== undefined) this.#listener?.onCommitted(done)
  }

  /**
   * Hands the thread a commit of what was gathered, of what failed before, and of cuts. Returns its number if nothing of it
   * is for the disk: it is done already.
   */
  #start(): CommitNumber | undefined {
    const hasFailed = this.#failure !== undefined
    const commit = this.#gathering || hasFailed ? this.#gatheringCommit++ : undefined
    this.#gathering = false
    this.#log.write()
    this.#records.write(this.#log)
    this.#retained.write()
    const { lastSequence } = this.#log
    const { sequencesGiven } = this.#totals
    this.#writeTotals(lastSequence > sequencesGiven ? lastSequence + SEQUENCES_SET_ASIDE : sequencesGiven)
    const trims = this.#log.trims()
    if (this.#batch.isEmpty && trims.length === 0 && this.failure === undefined) return commit
    this.#inFlight = { commit, trims }
    this.#pacing.began()
    this.#file.commit({ batch: this.#batch.take(), trims }, (outcome) => this.#finish(outcome))
    return undefined
  }

  #finish(outcome: CommitOutcome): void {
    const finished = this.#inFlight
    assert(finished !== undefined)
    this.#inFlight = undefined
    if (outcome.kind === 'committed') this.#succeed(finished, outcome.unfinished, outcome.shortage)
    else this.#fail(finished, outcome.error, outcome.batch)
    const onSettled = this.#onSettled
    this.#onSettled = undefined
    onSettled?.()
  }

  /** The next commit, unless it waits for more, begins before the listener hears of this one: the disk does not wait for it. */
  #succeed({ commit, trims }: CommitInFlight, unfinished: readonly QueueId[], shortage: StoreError | undefined): void {
    this.#failure = undefined
    this.#shortage = shortage
    this.#watchRoom()
    this.#pauseMs = PAUSE_MS_MIN
    this.#log.land(trims, unfinished)
    this.#retained.land()
    this.#pacing.finished()
    this.#isHolding = this.#gathering && this.#pacing.isWaiting && !this.#isClosing
    if (this.#isHolding) this.#hold()
    const begins = this.#gathering || (this.#log.hasTrims && !this.#isClosing)
    const done = begins && !this.#isHolding ? this.#start() : undefined
    if (commit !== undefined) this.#listener?.onCommitted(commit)
    if (done !== undefined) this.#listener?.onCommitted(done)
  }

  /** Timers are too coarse for this: turns of the event loop go by, each of which reads what clients send. */
  #hold(): void {
    setImmediate(() => {
      if (!this.#isHolding) return
      if (this.#pacing.isWaiting) {
        this.#hold()
        return
      }
      this.#isHolding = false
      this.#begin()
    })
  }

  /** A commit tells whether there is little room: one is made even when there is nothing to commit. */
  #watchRoom(): void {
    clearTimeout(this.#lookForRoom)
    if (this.#shortage === undefined || this.#isClosing) return
    this.#lookForRoom = setTimeout(() => {
      if (!this.#isIdle || this.#isClosing) return
      this.#gathering = true
      this.#begin()
    }, LOOK_FOR_ROOM_MS)
    this.#lookForRoom.unref()
  }

  #fail({ commit }: CommitInFlight, error: StoreError, batch: TakenBatch | undefined): void {
    this.#failure = error
    if (batch === undefined) this.#isBroken = true
    else this.#batch.prepend(batch)
    if (!this.#isClosing) {
      this.#pause = setTimeout(() => void this.#retry(), this.#pauseMs)
      this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MS_MAX)
    }
    if (commit !== undefined) this.#listener?.onCommitFailed(commit, error)
  }

  async #retry(): Promise<void> {
    if (!this.#isBroken) {
      this.#reopening = this.#file.reopen()
      await this.#reopening
      this.#reopening = undefined
    }
    this.#pause = undefined
    if (!this.#isClosing) this.#begin()
  }

  /** Has everything committed that was gathered, until a commit fails. */
  async #settle(): Promise<void> {
    clearTimeout(this.#pause)
    this.#isHolding = false
    await this.#reopening
    this.#pause = undefined
    for (let attempts = 0; this.#inFlight !== undefined || this.#gathering || !this.#batch.isEmpty; attempts++) {
      if (this.#inFlight === undefined) {
        if (this.#failure !== undefined && attempts > 0) return
        this.#begin()
      }
      if (this.#inFlight !== undefined) await new Promise<void>((resolve) => (this.#onSettled = resolve))
    }
  }

  #writeTotals(sequencesGiven: SequenceNumber): void {
    const totals: Totals = { sequencesGiven, lastQueue: this.#log.lastQueue, retainedBytes: this.#retained.bytes }
    const { lastQueue, retainedBytes } = this.#totals
    const isSame = sequencesGiven === this.#totals.sequencesGiven
    if (isSame && totals.lastQueue === lastQueue && totals.retainedBytes === retainedBytes) return
    this.#totals = totals
    writeTotals(this.#batch.put('records', recordKey(RecordKind.Totals)), totals)
    this.#batch.end()
  }
}
