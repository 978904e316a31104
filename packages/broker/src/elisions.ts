import type { CommitNumber, SequenceNumber } from '@godwit/storage'
import type { Response } from './responses.ts'

/** An acknowledgement that waits for a commit, or for less. */
export interface ElisionWaiter {
  /** Every durable subscriber has finished with the message: there is nothing left that the commit would have to keep. */
  onElided(response: Response): void
}

/** A message of the log that is with all its durable subscribers, some of which have not finished with it. */
export class Elision {
  readonly commit: CommitNumber
  unfinished: number
  #waiter: ElisionWaiter | undefined = undefined
  #response: Response | undefined = undefined

  constructor(commit: CommitNumber, unfinished: number) {
    this.commit = commit
    this.unfinished = unfinished
  }

  /** Has the answer to the message's PUBLISH let off its commit. */
  wait(waiter: ElisionWaiter, response: Response): void {
    this.#waiter = waiter
    this.#response = response
  }

  end(): void {
    if (this.#response !== undefined) this.#waiter?.onElided(this.#response)
  }
}

/**
 * Messages that may be acknowledged before they are on disk: once every durable subscriber has finished with a message
 * there is nothing left to lose, and a store that gathers its commit meanwhile need not write it at all. Only messages
 * that every one of them took at once can get there before their commit does; only those are looked after.
 */
export class Elisions {
  /** By sequence number, rising, and so do their commits. */
  readonly #open = new Map<SequenceNumber, Elision>()
  #taken = 0

  /** A message is about to be offered. */
  offers(): void {
    this.#taken = 0
  }

  /** A durable subscriber, or a group, has taken the message that is being offered. */
  taken(): void {
    this.#taken++
  }

  /**
   * It has been offered; `consumers` read the queues that hold it, one of them perhaps more than one.
   * @returns undefined if nothing but its commit can make it safe
   */
  offered(sequence: SequenceNumber, commit: CommitNumber, consumers: number): Elision | undefined {
    if (this.#taken !== consumers) return undefined
    const elision = new Elision(commit, consumers)
    this.#open.set(sequence, elision)
    return elision
  }

  /** One of its subscribers has finished with a message. */
  finished(sequence: SequenceNumber): void {
    const elision = this.#open.get(sequence)
    if (elision === undefined || --elision.unfinished > 0) return
    this.#open.delete(sequence)
    elision.end()
  }

  /** What waited for this commit has been answered. */
  committed(commit: CommitNumber): void {
    for (const [sequence, elision] of this.#open) {
      if (elision.commit > commit) return
      this.#open.delete(sequence)
    }
  }
}
