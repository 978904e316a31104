import { filterCovers } from '@godwit/protocol'
import type { CommitNumber, QueueId, StoreContents } from '@godwit/storage'
import type { CommitWaiter } from './commits.ts'
import type { Engine } from './engine.ts'
import { HistoryQueue } from './history-queue.ts'
import type { HistoryRule } from './history-rules.ts'
import type { Message } from './message.ts'
import type { Timer } from './timers.ts'

/** How often histories are looked over while there is something in one of them. */
const CUT_INTERVAL_MS = 1000

/** What QoS 0 added to a commit that is not durable yet. */
class Unsaved implements CommitWaiter {
  readonly commit: CommitNumber
  bytes = 0
  readonly #onSaved: (bytes: number) => void

  constructor(commit: CommitNumber, onSaved: (bytes: number) => void) {
    this.commit = commit
    this.#onSaved = onSaved
  }

  onCommitted(): void {
    this.#onSaved(this.bytes)
  }

  onCommitFailed(): void {
    this.#onSaved(this.bytes)
  }
}

/** The messages that are kept for clients that come later, as configured. */
export class Histories {
  readonly #engine: Engine
  readonly #rules: readonly HistoryRule[]
  /** By topic filter, in the order of the rules. */
  readonly #queues = new Map<string, HistoryQueue>()
  readonly #ids = new Set<QueueId>()
  readonly #timer: Timer
  /** QoS 0 messages that wait for their commit: their publishers wait for nothing, so that nothing else would bound them. */
  #unsavedBytes = 0
  #unsaved: Unsaved | undefined

  constructor(engine: Engine, rules: readonly HistoryRule[]) {
    this.#engine = engine
    this.#rules = rules
    this.#timer = engine.timers.create(() => this.#cut())
  }

  /** Opens the queues of the rules, and of what has no rule any longer but is still being replayed. */
  open({ sessions }: StoreContents): void {
    for (const rule of this.#rules) this.#open(rule.topicFilter, rule)
    for (const { replay, qos } of sessions.flatMap(({ subscriptions }) => subscriptions)) {
      const isUnfinished = replay?.after !== undefined && qos > 0
      if (isUnfinished && !this.#queues.has(replay.historyFilter)) this.#open(replay.historyFilter, undefined)
    }
    this.#watch()
  }

  /** Whether a queue of the log is a history. */
  has(queue: QueueId): boolean {
    return this.#ids.has(queue)
  }

  get(topicFilter: string): HistoryQueue | undefined {
    return this.#queues.get(topicFilter)
  }

  /** The first of the rules by which everything is kept that matches a topic filter; undefined: there is none. */
  covering(topicFilter: string): HistoryQueue | undefined {
    for (const history of this.#queues.values()) {
      if (!history.isRetired && filterCovers(history.topicFilter, topicFilter)) return history
    }
    return undefined
  }

  /**
   * Whether a message can be kept. Those of QoS 1 and 2 were refused if they could not; at QoS 0 nobody is refused, and
   * delivery does not wait: where the store has no room or falls behind, the history goes without the message.
   */
  keeps(message: Message): boolean {
    if (message.qos > 0) return true
    const reason = this.#reasonAgainst(message)
    if (reason === undefined) return true
    this.#engine.fates.record('not-in-history', message, message.publisherClientId, reason)
    return false
  }

  /** A message was appended for these. */
  appended(histories: readonly HistoryQueue[], message: Message): void {
    if (message.qos === 0) this.#addUnsaved(message.byteLength)
    for (const history of histories) history.appended(message.byteLength)
    this.#watch()
  }

  /** Has histories give way to what must be kept. Returns whether there is room now. */
  makeRoom(): boolean {
    const { store, limits } = this.#engine
    let hasMoved = true
    while (hasMoved && store.storedBytes >= limits.storedBytesMax) {
      hasMoved = false
      for (const history of this.#queues.values()) hasMoved = history.makeRoom() || hasMoved
    }
    return store.storedBytes < limits.storedBytesMax
  }

  /** A replay is over: a history without a rule may have been kept for it. */
  closeIfUnused(history: HistoryQueue): void {
    if (!history.isUnused) return
    const { tree, store } = this.#engine
    this.#queues.delete(history.topicFilter)
    this.#ids.delete(history.id)
    store.dropQueue(history.id)
    const node = tree.find(history.topicFilter)
    if (node === undefined) return
    node.history = undefined
    tree.changed()
    tree.prune(node)
  }

  #reasonAgainst({ byteLength }: Message): string | undefined {
    const { store, limits } = this.#engine
    if (store.failure !== undefined) return 'the store fails'
    if (this.#unsavedBytes + byteLength > limits.unsavedHistoryBytesMax) return 'limits.unsavedHistoryBytesMax'
    return store.storedBytes < limits.storedBytesMax || this.makeRoom() ? undefined : 'limits.storedBytesMax'
  }

  #open(topicFilter: string, rule: HistoryRule | undefined): void {
    const history = new HistoryQueue(this.#engine, topicFilter, rule)
    this.#queues.set(topicFilter, history)
    this.#ids.add(history.id)
    this.#engine.tree.open(topicFilter).history = history
    this.#engine.tree.changed()
  }

  #addUnsaved(bytes: number): void {
    const { store, commits } = this.#engine
    const commit = store.gatheringCommit
    if (this.#unsaved?.commit !== commit) {
      this.#unsaved = new Unsaved(commit, (saved) => {
        this.#unsavedBytes -= saved
      })
      commits.wait(commit, this.#unsaved)
    }
    this.#unsaved.bytes += bytes
    this.#unsavedBytes += bytes
  }

  #watch(): void {
    if (this.#timer.isSet || this.#queues.size === 0) return
    this.#engine.timers.set(this.#timer, this.#engine.clock.now() + CUT_INTERVAL_MS)
  }

  #cut(): void {
    for (const history of this.#queues.values()) history.cut()
    for (const history of this.#queues.values()) {
      if (history.isEmpty) continue
      this.#watch()
      return
    }
  }
}
