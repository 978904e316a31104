import type { SequenceNumber } from '@godwit/storage'
import { AgeWatch, type AgeWatchParts } from './age-watch.ts'
import { CuttingCohort, type CutReason, reasonOf } from './cutting-cohort.ts'
import { DeadLetters, type DeadLettersParts } from './dead-letters.ts'
import type { DurableQueue } from './durable-queue.ts'
import type { Limits } from './limits.ts'
import { NewestCohort } from './newest-cohort.ts'
import type { Cohort } from './overflow-cohort.ts'
import { OverflowPolicies, type OverflowPolicy, type OverflowRule } from './overflow-rules.ts'
import type { QueuePlace } from './queue-place.ts'
import { RefusingCohort } from './refusing-cohort.ts'

export interface OverflowParts extends DeadLettersParts, Omit<AgeWatchParts, 'hasEnded'> {
  readonly limits: Limits
  readonly rules: readonly OverflowRule[]
}

/** What is done about backlogs that become too long, or too old. */
export class Overflow {
  readonly policies: OverflowPolicies
  readonly #parts: OverflowParts & AgeWatchParts
  readonly #deadLetters: DeadLetters
  /** Those that have to wait until what the store holds has been put back; undefined: it has. */
  #ageWatches: AgeWatch[] | undefined = []
  /** They were dropping what came when the broker stopped, and are under another rule now. */
  #inherited: QueuePlace[] = []
  #hasEnded = false

  /** @throws RangeError for a rule that is none */
  constructor(parts: OverflowParts) {
    this.#parts = { ...parts, hasEnded: () => this.#hasEnded }
    this.policies = new OverflowPolicies(parts.rules, parts.limits)
    this.#deadLetters = new DeadLetters(parts)
  }

  /** Sessions and groups have been put back, and what they have in flight: from here on the age of messages matters. */
  begin(): void {
    const ageWatches = this.#ageWatches ?? []
    this.#ageWatches = undefined
    for (const ageWatch of ageWatches) ageWatch.look()
    for (const place of this.#inherited) if (place.isTaken) place.endSkipping()
    this.#inherited = []
  }

  /** A place drops whatever comes though its rule does not say so: it stops, once everything has been put back. */
  inherit(place: QueuePlace): void {
    this.#inherited.push(place)
  }

  /** The store is about to be closed. */
  end(): void {
    this.#hasEnded = true
    this.#deadLetters.end()
  }

  /** Those of a queue for which a policy goes, of whom there are none yet. */
  cohort(queue: DurableQueue, policy: OverflowPolicy): Cohort {
    const cohort = this.#cohortOf(queue, policy)
    if (policy.ageMs !== Infinity) {
      const ageWatch = new AgeWatch(queue, policy.ageMs, this.#parts, (through) => cohort.tooOld(through))
      cohort.ageWatch = ageWatch
      if (this.#ageWatches === undefined) ageWatch.look()
      else this.#ageWatches.push(ageWatch)
    }
    return cohort
  }

  #cohortOf(queue: DurableQueue, policy: OverflowPolicy): Cohort {
    const { fates, limits } = this.#parts
    switch (policy.action) {
      case 'refuse':
        return new RefusingCohort(queue, policy)
      case 'drop-newest':
        return new NewestCohort(queue, policy, fates, limits)
      case 'drop-oldest':
        return new CuttingCohort(queue, policy, (place, through, reason) => this.#drop(place, through, reason))
      case 'dead-letter':
        return new CuttingCohort(queue, policy, (place, through, reason) => this.#deadLetters.move(place, through, reason))
    }
  }

  #drop(place: QueuePlace, through: SequenceNumber, reason: CutReason): void {
    const { queue, consumer, cohort } = place
    const { messages } = place.waiting(through)
    place.giveUpThrough(through)
    this.#parts.fates.recordMany('queue-full', messages, queue.topicFilter, consumer.key, reasonOf(cohort.policy, reason))
  }
}
