import { historyQueueFilter, type MaybePromise, type QueueId, type SequenceNumber } from '@godwit/storage'
import type { Engine } from './engine.ts'
import type { HistoryRule } from './history-rules.ts'
import { isPromise } from './maybe-promise.ts'
import { positionOfTime, positionWithin } from './queue-positions.ts'
import type { Subscription } from './subscription.ts'

/** So many messages, or this share of a bound if it is more, come between two looks at what is to be cut. */
const APPENDS_PER_CUT_MIN = 64
const SLACK = 64
/** What a history gives up at a time, of its bytes, when the store is full. */
const ROOM_SHARE = 16

/** What a subscription being replayed may leave waiting in the history. */
interface WaitingMax {
  readonly messages: number
  readonly bytes: number
}

/**
 * The history of a topic filter: a queue of the log that every matching message goes to.
 *
 * ```
 *        cut              kept, as the rule says               lastSequence
 *   ──────┼──────────────────────────────────────────────────────┼──▷
 *                 ▲ a replay reads on from its place ─▷
 *                        ▲ ... and was asked for here: what came since is promised to it, and cut only once it is read
 * ```
 * A message is cut some time after the rule lets it go; whoever asks is given no more than the rule says.
 */
export class HistoryQueue {
  readonly id: QueueId
  readonly topicFilter: string
  /** Its rule is gone: it lasts only as long as stored sessions have a replay to finish. */
  readonly isRetired: boolean
  readonly #engine: Engine
  readonly #ageMaxMs: number
  readonly #messagesMax: number
  readonly #bytesMax: number
  readonly #replays = new Set<Subscription>()
  #cutThrough: SequenceNumber = 0
  #messagesUntilCut = 0
  #bytesUntilCut = 0
  #isCutDue = false

  /** @param rule undefined: it keeps only what replays still need */
  constructor(engine: Engine, topicFilter: string, rule: HistoryRule | undefined) {
    this.#engine = engine
    this.topicFilter = topicFilter
    this.isRetired = rule === undefined
    this.#ageMaxMs = (rule?.seconds ?? Infinity) * 1000
    this.#messagesMax = rule === undefined ? 0 : (rule.messages ?? Infinity)
    this.#bytesMax = rule?.bytes ?? Infinity
    this.id = engine.store.openQueue(historyQueueFilter(topicFilter))
    this.#waitForAppends()
  }

  get isEmpty(): boolean {
    return this.#engine.store.backlog({ queue: this.id, after: this.#cutThrough }).messages === 0
  }

  /** Nobody needs it any longer. */
  get isUnused(): boolean {
    return this.isRetired && this.#replays.size === 0
  }

  /** The position behind which everything is kept that the rule allows at this moment. */
  oldest(): MaybePromise<SequenceNumber> {
    const { store, clock } = this.#engine
    const after = positionWithin(store, this.id, this.#cutThrough, this.#messagesMax, this.#bytesMax)
    return this.#ageMaxMs === Infinity ? after : positionOfTime(store, this.id, after, clock.now() - this.#ageMaxMs)
  }

  /** A subscription is going to be sent what is here: what has come since it was made stays until it has read it. */
  add(replay: Subscription): void {
    this.#replays.add(replay)
  }

  remove(replay: Subscription): void {
    this.#replays.delete(replay)
  }

  /** A message was appended for this queue. */
  appended(bytes: number): void {
    this.#messagesUntilCut--
    this.#bytesUntilCut -= bytes
    if (this.#isCutDue || (this.#messagesUntilCut > 0 && this.#bytesUntilCut > 0)) return
    this.#isCutDue = true
    this.#engine.defer(() => this.cut())
  }

  /** Cuts off what is no longer kept. */
  cut(): void {
    this.#isCutDue = false
    this.#waitForAppends()
    const oldest = this.oldest()
    if (isPromise(oldest)) {
      oldest.then(
        (through) => this.#cutBack(through),
        (error: unknown) => this.#engine.reportStoreError(error)
      )
    } else {
      this.#cutBack(oldest)
    }
  }

  /** Gives up some of the oldest, though the rule would keep it: the store is full. False: there is nothing to give up. */
  makeRoom(): boolean {
    const { store } = this.#engine
    const held = store.backlog({ queue: this.id, after: this.#cutThrough })
    const bytesMax = Math.max(0, held.bytes - Math.ceil(held.bytes / ROOM_SHARE))
    return held.messages > 0 && this.#cutTo(positionWithin(store, this.id, this.#cutThrough, Infinity, bytesMax))
  }

  #cutBack(through: SequenceNumber): void {
    for (const replay of this.#replays) {
      if (heldAfter(replay) < through) this.#limit(replay)
    }
    this.#cutTo(through)
  }

  /** Cuts as far as no replay holds it back; false: not at all. */
  #cutTo(through: SequenceNumber): boolean {
    let reached = through
    for (const replay of this.#replays) reached = Math.min(reached, heldAfter(replay))
    if (reached <= this.#cutThrough) return false
    this.#cutThrough = reached
    this.#engine.store.trimQueue(this.id, reached)
    return true
  }

  /** What waits for a replay is bounded as what waits for any session is; past that the oldest go. */
  #limit(replay: Subscription): void {
    const { messages, bytes } = waitingMax(this.#engine, replay)
    const held = heldAfter(replay)
    const through = positionWithin(this.#engine.store, this.id, held, messages, bytes)
    if (through > held) replay.session.replays.giveUp(replay, through)
  }

  #waitForAppends(): void {
    this.#messagesUntilCut = Math.max(APPENDS_PER_CUT_MIN, Math.floor(this.#messagesMax / SLACK))
    this.#bytesUntilCut = Math.max(1, Math.floor(this.#bytesMax / SLACK))
  }
}

/** What came after the SUBSCRIBE was promised, what came before was only asked for. */
function heldAfter({ replay, since }: Subscription): SequenceNumber {
  return Math.max(replay?.after ?? Infinity, since)
}

function waitingMax({ limits }: Engine, { session }: Subscription): WaitingMax {
  return session.isDurable
    ? { messages: limits.queuedMessagesMax, bytes: limits.queuedBytesMax }
    : { messages: limits.transientQueuedMessagesMax, bytes: limits.transientQueuedBytesMax }
}
