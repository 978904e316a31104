import type { Backlog, SequenceNumber } from '@godwit/storage'
import type { DurableQueue } from './durable-queue.ts'
import { Cohort, slowestOf } from './overflow-cohort.ts'
import type { OverflowPolicy } from './overflow-rules.ts'
import type { QueuePlace } from './queue-place.ts'

/** Backlogs are cut each time they have passed their bound by this share of it. */
const SLACK = 64

/** Why the oldest messages of a backlog go. */
export type CutReason = 'queue-full' | 'too-old'

/** Why they go, for their fate. */
export function reasonOf({ whenFull, whenOld }: OverflowPolicy, reason: CutReason): string {
  return reason === 'queue-full' ? whenFull : whenOld
}

/** Whoever does away with what a place gives up, and has it give it up. */
export type CutOff = (place: QueuePlace, through: SequenceNumber, reason: CutReason) => void

/**
 * Backlogs whose oldest messages make room for new ones: `drop-oldest` and `dead-letter`. From where on a backlog is
 * within its bound is a position in the queue, the same for all of them.
 */
export class CuttingCohort extends Cohort {
  readonly #cutOff: CutOff

  constructor(queue: DurableQueue, policy: OverflowPolicy, cutOff: CutOff) {
    super(queue, policy)
    this.#cutOff = cutOff
  }

  override tooOld(through: SequenceNumber): void {
    this.tooOldThrough = through
    for (const place of this.places) if (place.readThrough < through) this.#cutOff(place, through, 'too-old')
  }

  /** Away it may have come to wait for more than its bound by a little; what it gets is no more than that. */
  override resumed(place: QueuePlace): void {
    if (this.policy.action !== 'drop-oldest') return
    if (this.isPassedBy(place.waiting())) this.#cutOff(place, this.#withinFrom(place), 'queue-full')
  }

  protected override check(): void {
    // Nobody waits for more than the queue holds.
    if (this.isPassedBy(this.queue.held(this.queue.trimmedThrough))) this.#cutToBound()
    const { messagesMax, bytesMax } = this.policy
    const longest = this.queue.held(slowestOf(this.places))
    // `isPassedBy`, not reached: one more than is left has to come.
    this.looked(
      Math.max(messagesMax - longest.messages, Math.floor(messagesMax / SLACK)) + 1,
      Math.max(bytesMax - longest.bytes, Math.floor(bytesMax / SLACK)) + 1
    )
  }

  #cutToBound(): void {
    const through = this.#withinFrom(this.queue)
    for (const place of this.places) {
      if (place.readThrough >= through) continue
      // Of some not everything waits that the queue holds: their own position is found one by one.
      const own = place.skipped.length === 0 ? through : this.#withinFrom(place)
      if (place.readThrough < own) this.#cutOff(place, own, 'queue-full')
    }
  }

  #withinFrom(backlog: DurableQueue | QueuePlace): SequenceNumber {
    return backlog.firstPosition((held: Backlog) => !this.isPassedBy(held))
  }
}
