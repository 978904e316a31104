import assert from 'node:assert'
import { RecordKeeper, type Records, type Retained } from '../record-keeper.ts'
import type { StoreContents } from '../records.ts'
import type { Backlog, CommitNumber, Consumer, LogEntry, QueueId, QueuePosition, Store, StoreListener } from '../store.ts'
import type { SequenceNumber, StoredMessage } from '../stored-message.ts'
import { Batch } from './batch.ts'
import { CommitPacing } from './commit-pacing.ts'
import type { MergeOutcome } from './committer.ts'
import type { Trim } from './commit-messages.ts'
import { DataFile } from './data-file.ts'
import { damaged, StoreError } from './store-error.ts'
import { StoredLog } from './stored-log.ts'
import { StoredRecords } from './stored-records.ts'
import { StoredRetained } from './stored-retained.ts'
import { StoredTotals } from './stored-totals.ts'
import { Unmerged } from './unmerged.ts'

const PAUSE_MS_MIN = 100
const PAUSE_MS_MAX = 5_000

/** How often room is looked for while there is little: who therefore changes nothing would otherwise never hear of it. */
const LOOK_FOR_ROOM_MS = 1_000

export interface LmdbStoreOptions {
  /** A folder for this store alone, made if there is none. */
  readonly path: string
}

/** A commit that nobody waits for begins so much later than the first of its changes. */
const UNAWAITED_MS = 50

/** The tables are given what was committed when it measures so much, or so much later. */
const MERGED_BYTES = 256 * 1_024
const MERGED_MS = 200

/** Commits wait while so much has not been merged: the file that is being merged is needed for what follows. */
const UNMERGED_BYTES_MAX = 4 * MERGED_BYTES

/** A commit of so much is merged at once, and not written twice. */
const JOURNALED_BYTES_MAX = 2 * MERGED_BYTES

interface CommitInFlight {
  /** undefined: nobody is to be told. */
  readonly commit: CommitNumber | undefined
  /** It becomes durable with the next merge, or the one under way; else in the journal. */
  isForMerge: boolean
}

/** What the thread that writes the tables is doing. */
interface Merge {
  readonly trims: readonly Trim[]
  /** The commit in flight is part of it. */
  readonly hasCommit: boolean
}

/**
 * A store on disk: a journal, and an LMDB file that a thread of its own writes.
 *
 * ```
 *   changes ──▶ gathered ──▶ in flight ──▶ in the journal ──▶ in the tables
 *               in memory    one commit,   durable, and       read through the page cache
 *                            one sync      still in memory
 * ```
 * A commit is durable when the journal holds it; the tables are given many of them at a time, in one synced transaction.
 * What the tables do not hold yet is read from memory, and after a crash from the journal, when the store is opened.
 *
 * One commit is in flight at a time; the next begins when it is done and those who sent what it held had a moment to send
 * more (see `CommitPacing`), or at the end of the turn in which somebody began to wait for it; where nobody waits, some
 * milliseconds later. Reads see everything. What no longer matters when its commit begins never reaches the disk, and a
 * commit of which nothing is left is done without it.
 *
 * Where the journal cannot take a commit, it is durable when it is in the tables. One that fails there too (no room, an
 * input/output error) is told, and its number not used again. Its changes stay, in memory, where reads see them, and join
 * the next commit, which is tried after 0.1 to 5 seconds, and again until one succeeds: that commit makes durable whatever
 * was changed before it, as any does. `failure` tells meanwhile what is wrong. What the caller gathers in the meantime, it
 * has to bound.
 */
export class LmdbStore extends RecordKeeper implements Store {
  readonly #file: DataFile
  readonly #batch = new Batch()
  readonly #pacing = new CommitPacing()
  readonly #log: StoredLog
  // Told as what they are to others, so that the types of LMDB stay within.
  protected override readonly records: Records
  protected override readonly retained: Retained
  readonly #records: StoredRecords
  readonly #retained: StoredRetained
  readonly #totals: StoredTotals

  #listener: StoreListener | undefined = undefined
  #gatheringCommit: CommitNumber = 1
  #gathering = false
  /** Somebody waits for the commit being gathered. */
  #isAwaited = false
  /** What nobody waits for begins when this ends. */
  #unawaited: NodeJS.Timeout | undefined = undefined
  #inFlight: CommitInFlight | undefined = undefined
  readonly #unmerged = new Unmerged()
  #merge: Merge | undefined = undefined
  /** What has been committed is to be merged, now or when no commit is in flight. */
  #isMergeDue = false
  #mergeTimer: NodeJS.Timeout | undefined = undefined
  /** The tables will have room for what the journal promises meanwhile. */
  #hasPlenty = false
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

  constructor({ path }: LmdbStoreOptions) {
    super()
    this.#file = new DataFile(path)
    this.#log = new StoredLog(this.#file, this.#batch)
    this.#records = new StoredRecords(this.#file, this.#batch)
    this.#retained = new StoredRetained(this.#file, this.#batch)
    this.records = this.#records
    this.retained = this.#retained
    this.#totals = new StoredTotals(this.#file, this.#batch)
  }

  /** Begins what takes a while and needs no data. A store that is prepared has to be closed, be it opened or not. */
  prepare(): void {
    this.#file.prepare()
  }

  /** @throws StoreError if the folder is in use, damaged, of another format, or cannot be used */
  async open(listener: StoreListener): Promise<StoreContents> {
    assert(!this.#wasOpened, 'the store was opened already')
    this.#wasOpened = true
    await this.#file.open()
    try {
      const { sequencesGiven, lastQueue, retainedBytes } = this.#totals.load()
      this.#log.load(sequencesGiven, lastQueue)
      this.#retained.load(retainedBytes)
      const contents = { ...this.#records.load(), queues: this.#log.records }
      this.#listener = listener
      this.#hasPlenty = this.#file.hadPlenty
      this.#unmerged.cut(this.#log.trims())
      this.#mergeSoon()
      return contents
    } catch (cause) {
      await this.#file.close(false)
      throw cause instanceof StoreError ? cause : damaged(cause instanceof Error ? cause.message : String(cause), { cause })
    }
  }

  /** @throws StoreError if the last commit failed, in which case nothing is left open all the same */
  async close(): Promise<void> {
    if (this.#listener === undefined) {
      await this.#file.close(false)
      return
    }
    this.#isClosing = true
    await this.#settle()
    if (this.#failure === undefined && this.#totals.hasLeft(this.#log.lastSequence)) {
      this.#totals.writeLast(this.#log.lastSequence)
      await this.#settle()
    }
    this.#listener = undefined
    await this.#file.close(this.#failure === undefined)
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
    if (isNew) this.change()
    return queue
  }

  dropQueue(queue: QueueId): void {
    this.change()
    this.#log.dropQueue(queue)
  }

  trimQueue(queue: QueueId, through: SequenceNumber): void {
    this.change()
    this.#log.trimQueue(queue, through)
  }

  backlog(position: QueuePosition): Backlog {
    return this.#log.backlog(position)
  }

  get storedBytes(): number {
    return this.#log.bytes + this.#retained.bytes
  }

  append(message: StoredMessage, queues: readonly QueueId[]): SequenceNumber {
    this.change()
    this.#pacing.messageCame()
    return this.#log.append(message, queues)
  }

  read(positions: readonly QueuePosition[], limit: number): readonly LogEntry[] {
    return this.#log.read(positions, limit)
  }

  touch(consumer: Consumer): void {
    this.change()
    this.#records.touch(consumer)
  }

  override putReceived(clientId: string, packetIdentifier: number, message: StoredMessage): void {
    this.#pacing.messageCame()
    super.putReceived(clientId, packetIdentifier, message)
  }

  hasten(): void {
    if (this.#isAwaited) return
    this.#isAwaited = true
    this.#beginSoon()
  }

  /** Only the first change after a commit began has something to do; all others cost little. */
  protected override change(): void {
    if (this.#gathering) return
    assert(this.#listener !== undefined, 'the store is not open')
    this.#gathering = true
    if (this.#isAwaited) this.#beginSoon()
    else this.#unawaited ??= setTimeout(() => this.#beginUnawaited(), UNAWAITED_MS)
  }

  #beginSoon(): void {
    if (!this.#gathering || !this.#mayBegin) return
    setImmediate(() => this.#isAwaited && this.#gathering && this.#mayBegin && this.#begin())
  }

  #beginUnawaited(): void {
    this.#unawaited = undefined
    if (this.#gathering && this.#mayBegin) this.#begin()
    else this.#isAwaited ||= this.#gathering
  }

  get #mayBegin(): boolean {
    if (this.#inFlight !== undefined || this.#pause !== undefined || this.#isHolding) return false
    return this.#merge === undefined || (this.#isJournaling && this.#unmerged.bytes < UNMERGED_BYTES_MAX)
  }

  /** Whether commits are made durable by the journal: not where it could promise what the tables then have no room for. */
  get #isJournaling(): boolean {
    return this.#file.hasJournal && this.#hasPlenty && this.#failure === undefined && !this.#isClosing
  }

  #begin(): void {
    const done = this.#start()
    if (done !== undefined) this.#listener?.onCommitted(done)
  }

  /**
   * Begins a commit of what was gathered, and of what failed before. Returns its number if nothing of it is for the disk: it
   * is done already.
   */
  #start(): CommitNumber | undefined {
    const hasFailed = this.#failure !== undefined
    const commit = this.#gathering || hasFailed ? this.#gatheringCommit++ : undefined
    this.#gathering = false
    this.#isAwaited = false
    this.#log.write()
    this.#records.write(this.#log)
    this.#retained.write()
    this.#totals.write(this.#log.lastSequence, this.#log.lastQueue, this.#retained.bytes)
    const trims = this.#log.trims()
    if (this.#batch.isEmpty && this.failure === undefined) {
      this.#unmerged.cut(trims)
      this.#mergeSoon()
      return commit
    }
    const changes = this.#batch.take()
    const isForMerge = !this.#isJournaling || changes.byteLength >= JOURNALED_BYTES_MAX
    this.#inFlight = { commit, isForMerge }
    this.#pacing.began()
    if (isForMerge) {
      this.#gave(changes, trims)
      if (this.#merge === undefined) this.#beginMerge()
    } else {
      this.#file.append(changes, (error) => {
        this.#gave(changes, trims)
        this.#appended(error)
      })
    }
    return undefined
  }

  /** A commit has been given to the journal, or is to be merged: the cuts that it allows can be made with it. */
  #gave(changes: Uint8Array, trims: readonly Trim[]): void {
    this.#unmerged.add(changes)
    this.#unmerged.cut(trims)
  }

  #appended(error: Error | null): void {
    if (error === null) {
      this.#succeed()
      this.#settled()
      return
    }
    if (this.#inFlight !== undefined) this.#inFlight.isForMerge = true
    if (this.#merge === undefined) this.#beginMerge()
  }

  /** The next commit, unless it waits for more, begins before the listener hears of this one: the disk does not wait for it. */
  #succeed(): void {
    const commit = this.#inFlight?.commit
    this.#inFlight = undefined
    this.#pacing.finished()
    this.#mergeSoon()
    this.#isHolding = this.#gathering && this.#isAwaited && this.#pacing.isWaiting && !this.#isClosing
    if (this.#isHolding) this.#hold()
    const done = this.#gathering && this.#isAwaited && this.#mayBegin ? this.#start() : undefined
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
      if (this.#mayBegin) this.#begin()
    })
  }

  /** Has what was committed merged if it is much, else some time later; not while a commit is being appended. */
  #mergeSoon(): void {
    if (this.#unmerged.isEmpty || this.#merge !== undefined || this.#failure !== undefined) return
    if (!this.#isMergeDue && this.#unmerged.bytes < MERGED_BYTES) {
      this.#mergeTimer ??= setTimeout(() => {
        this.#mergeTimer = undefined
        this.#isMergeDue = true
        this.#mergeSoon()
      }, MERGED_MS).unref()
    } else if (this.#inFlight === undefined) {
      if (this.#hasPlenty || this.#isClosing) this.#beginMerge()
      else this.#commitForNews()
    }
  }

  /** Where room may run out, who listens has to hear of it, and of its end: every merge is that of a commit. */
  #commitForNews(): void {
    this.#gathering = true
    this.#isAwaited = true
    this.#beginSoon()
  }

  /** Also of the commit in flight, if there is one. */
  #beginMerge(): void {
    clearTimeout(this.#mergeTimer)
    this.#mergeTimer = undefined
    this.#isMergeDue = false
    const { changes, trims } = this.#unmerged.take()
    this.#merge = { trims, hasCommit: this.#inFlight !== undefined }
    this.#log.beginMerge()
    this.#retained.beginMerge()
    this.#file.merge(changes, trims, (outcome) => this.#endMerge(outcome))
  }

  #endMerge(outcome: MergeOutcome): void {
    const ended = this.#merge
    const hadShortage = this.#shortage !== undefined
    assert(ended !== undefined)
    this.#merge = undefined
    if (outcome.kind === 'failed') this.#fail(outcome.error, outcome.changes)
    else {
      this.#unmerged.recycle(outcome.changes)
      this.#hasPlenty = outcome.hasPlenty
      this.#merged(ended.trims, outcome.unfinished, outcome.shortage)
      if (ended.hasCommit) this.#succeed()
      else if (this.#inFlight?.isForMerge === true) this.#beginMerge()
      else {
        if (hadShortage !== (this.#shortage !== undefined)) this.#commitForNews()
        this.#mergeSoon()
        this.#beginSoon()
      }
    }
    this.#settled()
  }

  #merged(trims: readonly Trim[], unfinished: readonly QueueId[], shortage: StoreError | undefined): void {
    this.#failure = undefined
    this.#shortage = shortage
    this.#watchRoom()
    this.#pauseMs = PAUSE_MS_MIN
    this.#log.land(trims, unfinished)
    this.#retained.land()
    if (unfinished.length === 0 || this.#isClosing) return
    const goOn = new Set(unfinished)
    this.#unmerged.cutOn(trims.filter(({ queue }) => goOn.has(queue)))
    this.#isMergeDue = true
  }

  /** A merge tells whether there is little room: one is made even when there is nothing to commit. */
  #watchRoom(): void {
    clearTimeout(this.#lookForRoom)
    if (this.#shortage === undefined || this.#isClosing) return
    this.#lookForRoom = setTimeout(() => {
      if (!this.#isClosing) this.#commitForNews()
    }, LOOK_FOR_ROOM_MS)
    this.#lookForRoom.unref()
  }

  /** The tables could not be written: a commit that was for them has failed, and what the journal holds waits. */
  #fail(error: StoreError, changes: Uint8Array | undefined): void {
    this.#failure = error
    if (changes === undefined) this.#isBroken = true
    else this.#unmerged.giveBack(changes)
    if (!this.#isClosing) {
      this.#pause = setTimeout(() => void this.#retry(), this.#pauseMs)
      this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MS_MAX)
    }
    // One that the journal is being given is told of first, and succeeds; then it is the next that tells.
    if (this.#inFlight?.isForMerge === false) return
    const commit = this.#inFlight === undefined ? this.#gatheringCommit++ : this.#inFlight.commit
    if (this.#inFlight === undefined) this.#gathering = false
    this.#inFlight = undefined
    if (commit !== undefined) this.#listener?.onCommitFailed(commit, error)
  }

  async #retry(): Promise<void> {
    if (!this.#isBroken) {
      this.#reopening = this.#file.reopen()
      await this.#reopening
      this.#reopening = undefined
    }
    this.#pause = undefined
    if (!this.#isClosing) this.#commitForNews()
  }

  /** Has everything committed that was gathered, and merged, until that fails. */
  async #settle(): Promise<void> {
    clearTimeout(this.#pause)
    clearTimeout(this.#unawaited)
    this.#isHolding = false
    await this.#reopening
    this.#pause = undefined
    for (let attempts = 0; this.#hasWork; attempts++) {
      if (!this.#isWorking) {
        if (this.#failure !== undefined && attempts > 0) return
        if (this.#gathering || !this.#batch.isEmpty || this.#failure !== undefined) this.#begin()
        else this.#beginMerge()
      }
      if (this.#isWorking) await new Promise<void>((resolve) => (this.#onSettled = resolve))
    }
  }

  get #hasWork(): boolean {
    return this.#isWorking || this.#gathering || !this.#batch.isEmpty || !this.#unmerged.isEmpty
  }

  get #isWorking(): boolean {
    return this.#inFlight !== undefined || this.#merge !== undefined
  }

  #settled(): void {
    const onSettled = this.#onSettled
    this.#onSettled = undefined
    onSettled?.()
  }
}
