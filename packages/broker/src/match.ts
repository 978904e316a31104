import type { QoS } from '@godwit/protocol'
import type { DurableQueue } from './durable-queue.ts'
import type { HistoryQueue } from './history-queue.ts'
import type { LocalSubscription } from './local-subscription.ts'
import type { Message } from './message.ts'
import { lowerQoS } from './quality-of-service.ts'
import type { Session } from './session.ts'
import type { SharedSubscription } from './shared-subscription.ts'
import type { Subscription } from './subscription.ts'
import { type FilterNode, type SubscriptionTree, subscriptionsOf } from './subscription-tree.ts'

const NO_IDENTIFIERS: readonly number[] = []
/** Targets that are remembered, about 100 bytes each: a thousand topics may each match a thousand sessions. */
const TARGETS_MAX = 1_000_000
/** What is remembered for nothing costs more than finding it: with far more topics in use than there is room for, one in so many is tried. */
const ONE_IN = 16
/** If even fewer than one in so many are found, looking for them does not pay either, and the cache rests for a while. */
const FOUND_ONE_IN_MIN = 8
const NONE: readonly never[] = []

/** A session that a topic matches, with all its matching subscriptions merged into one delivery. */
export class Target {
  readonly session: Session
  /** The highest of the matching subscriptions ([5.0 MQTT-3.3.4-2], [3.1.1 MQTT-3.3.5-1]). */
  readonly qos: QoS
  /** Whether any of them asks for the RETAIN flag as published. */
  readonly retainAsPublished: boolean
  /** Whether any of them was made with a replay: its messages tell where they stand in the log. */
  readonly tellsSequence: boolean
  /** Of all of them ([5.0 MQTT-3.3.4-4]). */
  readonly subscriptionIdentifiers: readonly number[]
  /** What remains for the session's own messages: itself unless No Local is set; undefined: nothing ([5.0 MQTT-3.8.3-3]). */
  readonly forOwnMessages: Target | undefined

  constructor(session: Session, subscriptions: readonly Subscription[]) {
    let qos: QoS = 0
    let retainAsPublished = false
    let identifiers: number[] | undefined
    let tellsSequence = false
    let hasNoLocal = false
    for (const subscription of subscriptions) {
      if (subscription.qos > qos) qos = subscription.qos
      retainAsPublished ||= subscription.retainAsPublished
      tellsSequence ||= subscription.replay !== undefined
      hasNoLocal ||= subscription.noLocal
      if (subscription.identifier > 0 && !identifiers?.includes(subscription.identifier)) {
        identifiers ??= []
        identifiers.push(subscription.identifier)
      }
    }
    this.session = session
    this.qos = qos
    this.retainAsPublished = retainAsPublished
    this.tellsSequence = tellsSequence
    this.subscriptionIdentifiers = identifiers ?? NO_IDENTIFIERS
    this.forOwnMessages = hasNoLocal
      ? targetOf(
          session,
          subscriptions.filter(({ noLocal }) => !noLocal)
        )
      : this
  }
}

/** The target that a session's matching subscriptions make together; undefined if there are none. */
export function targetOf(session: Session, subscriptions: readonly Subscription[]): Target | undefined {
  return subscriptions.length === 0 ? undefined : new Target(session, subscriptions)
}

/** Everything that a topic name matches. */
export class Match {
  /** The sessions that it is offered to. */
  readonly targets: readonly Target[]
  readonly groups: readonly SharedSubscription[]
  readonly locals: readonly LocalSubscription[]
  readonly queues: readonly DurableQueue[]
  readonly histories: readonly HistoryQueue[]
  /** Where there are sessions without a connection: what comes by the log they read later. */
  readonly absent: readonly FilterNode[]

  constructor(nodes: readonly FilterNode[]) {
    let groups: SharedSubscription[] | undefined
    let locals: LocalSubscription[] | undefined
    let queues: DurableQueue[] | undefined
    let histories: HistoryQueue[] | undefined
    let absent: FilterNode[] | undefined
    for (const node of nodes) {
      if (node.groups !== undefined) (groups ??= []).push(...node.groups.values())
      if (node.locals !== undefined) (locals ??= []).push(...node.locals)
      if (node.queue !== undefined) (queues ??= []).push(node.queue)
      if (node.history !== undefined) (histories ??= []).push(node.history)
      if (node.absent !== undefined) (absent ??= []).push(node)
    }
    this.targets = targetsOf(nodes)
    this.groups = groups ?? NONE
    this.locals = locals ?? NONE
    this.queues = queues ?? NONE
    this.histories = histories ?? NONE
    this.absent = absent ?? NONE
  }

  get isEmpty(): boolean {
    return this.targets.length === 0 && this.groups.length === 0 && this.locals.length === 0 && this.absent.length === 0
  }
}

function targetsOf(nodes: readonly FilterNode[]): readonly Target[] {
  let only: FilterNode | undefined
  let subscribed = 0
  for (const node of nodes) {
    if (node.subscriptions === undefined) continue
    only = node
    subscribed++
  }
  if (only === undefined) return NONE
  if (subscribed === 1) {
    return subscriptionsOf(only.subscriptions).map((subscription) => new Target(subscription.session, [subscription]))
  }
  const bySession = new Map<Session, Subscription[]>()
  for (const node of nodes) {
    for (const subscription of subscriptionsOf(node.subscriptions)) {
      const others = bySession.get(subscription.session)
      if (others === undefined) bySession.set(subscription.session, [subscription])
      else others.push(subscription)
    }
  }
  return [...bySession].map(([session, subscriptions]) => new Target(session, subscriptions))
}

/** The sessions without a connection to which a message would have gone at QoS 0, which is kept for nobody. */
export function missedBy(match: Match, message: Message): string[] {
  const clientIds: string[] = []
  if (match.absent.length === 0) return clientIds
  if (message.qos > 0 && match.absent.every((node) => node.absentAtMostOnce === 0)) return clientIds
  const bySession = new Map<Session, Subscription[]>()
  for (const { absent } of match.absent) {
    for (const subscription of subscriptionsOf(absent)) {
      const others = bySession.get(subscription.session)
      if (others === undefined) bySession.set(subscription.session, [subscription])
      else others.push(subscription)
    }
  }
  for (const [session, subscriptions] of bySession) {
    const matched = targetOf(session, subscriptions)
    const target = session.clientId === message.publisherClientId ? matched?.forOwnMessages : matched
    if (target !== undefined && lowerQoS(message.qos, target.qos) === 0) clientIds.push(session.clientId)
  }
  return clientIds
}

/** Remembers what the latest topic names matched, until the tree changes. Bench: `bench/README.md`, p2p-q0. */
export class MatchCache {
  /** How many targets all matches have together. */
  #targets = 0
  readonly #tree: SubscriptionTree
  readonly #topicsMax: number
  readonly #matches = new Map<string, Match>()
  readonly #nodes: FilterNode[] = []
  #version = -1
  #hits = 0
  #misses = 0
  /** Of how many new topics one is remembered: of all, unless most come only once while as many others do as there is room for. */
  #oneIn = 1
  /** For how many more lookups it rests. */
  #resting = 0
  #latestTopicName = ''
  #latest: Match | undefined

  constructor(tree: SubscriptionTree, topicsMax: number) {
    this.#tree = tree
    this.#topicsMax = topicsMax
  }

  match(topicName: string): Match {
    if (this.#version !== this.#tree.version) {
      this.#forget()
      this.#version = this.#tree.version
    }
    // Each message is looked up more than once, and the next is often to the same topic: the very same string, then.
    if (this.#latest !== undefined && this.#latestTopicName === topicName) return this.#latest
    const match = this.#resting > 0 ? this.#findResting(topicName) : this.#lookUp(topicName)
    this.#latestTopicName = topicName
    this.#latest = match
    return match
  }

  #lookUp(topicName: string): Match {
    const known = this.#matches.get(topicName)
    if (known !== undefined) {
      this.#hits++
      return known
    }
    const match = this.#find(topicName)
    this.#remember(topicName, match)
    return match
  }

  #findResting(topicName: string): Match {
    this.#resting--
    return this.#find(topicName)
  }

  #find(topicName: string): Match {
    this.#nodes.length = 0
    this.#tree.match(topicName, this.#nodes)
    return new Match(this.#nodes)
  }

  #remember(topicName: string, match: Match): void {
    if (this.#misses++ % this.#oneIn > 0) return
    // Forgetting all at once costs less than keeping an order of use on every message.
    if (this.#matches.size >= this.#topicsMax || this.#targets > TARGETS_MAX) {
      if (this.#hits * FOUND_ONE_IN_MIN < this.#misses) {
        this.#oneIn = 1
        this.#resting = this.#topicsMax * ONE_IN
      } else this.#oneIn = this.#hits < this.#misses ? ONE_IN : 1
      this.#hits = 0
      this.#misses = 0
      this.#forget()
    }
    this.#targets += match.targets.length
    this.#matches.set(topicName, match)
  }

  #forget(): void {
    this.#matches.clear()
    this.#targets = 0
    this.#latest = undefined
  }
}
