import type { Message } from './message.ts'
import type { Subscription } from './subscription.ts'

export type ShareStrategy = 'round-robin' | 'random' | 'least-inflight' | 'sticky' | 'hash-topic' | 'hash-client'

/**
 * How a shared subscription chooses the member for a message. Whichever it is, only members that can take the message
 * are asked: connected, with room in their Receive Maximum.
 */
export const SHARE_STRATEGIES: Readonly<Record<ShareStrategy, string>> = {
  'round-robin': 'each in turn',
  random: 'any, with equal chance',
  'least-inflight': 'the one with the fewest unacknowledged messages; equal ones in turn',
  sticky: 'the same one for as long as it can',
  'hash-topic': 'always the same one for a topic, so that its messages stay in order',
  'hash-client': 'always the same one for a publisher, so that its messages stay in order'
}

/** Where the search for a member that can take a message begins. */
export class ShareChooser {
  readonly #strategy: ShareStrategy
  readonly #random: () => number
  #next = 0

  /** @param random numbers from 0 to below 1 */
  constructor(strategy: ShareStrategy, random: () => number) {
    this.#strategy = strategy
    this.#random = random
  }

  /** The member to send to; undefined: none can take it now. */
  choose(
    members: readonly Subscription[],
    message: Message,
    canTake: (member: Subscription) => boolean
  ): Subscription | undefined {
    if (this.#strategy === 'least-inflight') return this.#chooseLeastInflight(members, canTake)
    const start = this.#start(members.length, message)
    for (let offset = 0; offset < members.length; offset++) {
      const index = (start + offset) % members.length
      const member = members[index]
      if (member === undefined || !canTake(member)) continue
      this.#next = this.#strategy === 'sticky' ? index : index + 1
      return member
    }
    return undefined
  }

  /** Equal ones take turns, else whoever came first would get everything while all keep up. */
  #chooseLeastInflight(members: readonly Subscription[], canTake: (member: Subscription) => boolean): Subscription | undefined {
    const start = this.#next % Math.max(members.length, 1)
    let least: Subscription | undefined
    for (let offset = 0; offset < members.length; offset++) {
      const index = (start + offset) % members.length
      const member = members[index]
      if (member === undefined || !canTake(member)) continue
      if (least !== undefined && member.session.inflight.size >= least.session.inflight.size) continue
      least = member
      this.#next = index + 1
    }
    return least
  }

  #start(count: number, message: Message): number {
    switch (this.#strategy) {
      case 'random':
        return Math.floor(this.#random() * count)
      case 'hash-topic':
        return hash(message.topicName) % Math.max(count, 1)
      case 'hash-client':
        return hash(message.publisherClientId) % Math.max(count, 1)
      default:
        return this.#next % Math.max(count, 1)
    }
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value >>> 0
}
