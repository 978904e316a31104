import { hasWildcard } from '@godwit/protocol'
import type { DurableQueue } from './durable-queue.ts'
import { FilterIndex } from './filter-index.ts'
import type { HistoryQueue } from './history-queue.ts'
import type { LocalSubscription } from './local-subscription.ts'
import type { SharedSubscription } from './shared-subscription.ts'
import type { Subscription } from './subscription.ts'

/** Subscriptions of one filter. Most filters have one, for which no list is made: it would be two more places in memory to look at. */
export type Subscribed = Subscription | Subscription[] | undefined

export function subscriptionsOf(subscribed: Subscribed): readonly Subscription[] {
  if (subscribed === undefined) return NONE
  return Array.isArray(subscribed) ? subscribed : [subscribed]
}

const NONE: readonly never[] = []

/**
 * A topic filter without wildcards, or one level of filters with wildcards. What it usually lacks is undefined rather
 * than empty, because a broker may hold a million of these.
 */
export class FilterNode {
  /** The level above; undefined: this is a filter without wildcards, or the root of the others. */
  readonly parent: FilterNode | undefined
  /** The level's own text, or all of a filter without wildcards. */
  readonly level: string
  /** What the index finds it by, and the levels below it. */
  hash = 0
  /** How many levels there are below, but for the two wildcards. */
  children = 0
  /** The level `+` below. */
  single: FilterNode | undefined = undefined
  /** The level `#` below. */
  multi: FilterNode | undefined = undefined
  /** The subscriptions whose filter ends here; a subscription knows its index. */
  subscriptions: Subscribed = undefined
  /** Those of durable sessions without a connection, apart, because nothing is offered to them. */
  absent: Subscribed = undefined
  /** How many of these have QoS 0: what they match is lost to them. */
  absentAtMostOnce = 0
  /** By share name. */
  groups: Map<string, SharedSubscription> | undefined = undefined
  locals: Set<LocalSubscription> | undefined = undefined
  /** The log's queue of this filter, while a durable session or group needs one. */
  queue: DurableQueue | undefined = undefined
  /** What is kept of this filter's messages, if it is configured. */
  history: HistoryQueue | undefined = undefined

  constructor(parent: FilterNode | undefined, level: string) {
    this.parent = parent
    this.level = level
  }

  get isUnused(): boolean {
    return (
      this.children === 0 &&
      this.single === undefined &&
      this.multi === undefined &&
      this.subscriptions === undefined &&
      this.absent === undefined &&
      this.groups === undefined &&
      this.locals === undefined &&
      this.queue === undefined &&
      this.history === undefined
    )
  }
}

/**
 * Topic filters. Those without wildcards are found at once, those with wildcards level by level; the topic name is walked
 * in place, without splitting it. Bench: `bench/micro/matching.ts`.
 *
 * ```
 *   a/b      exact   a/b●
 *   a/+/c #  root ─┬─ a ── + ── c●
 *                  └─ #●
 * ```
 */
export class SubscriptionTree {
  readonly #index: FilterIndex
  readonly #root = new FilterNode(undefined, '')
  /** Those that are not in the index: `+` and `#`. */
  #wildcards = 0
  #version = 0

  /** @param random numbers from 0 to below 1; who could foresee them could make filters that take long to find */
  constructor(random: () => number = Math.random) {
    this.#index = new FilterIndex(random)
  }

  /** Changes whenever a topic may match something else than before. */
  get version(): number {
    return this.#version
  }

  changed(): void {
    this.#version++
  }

  /** How many nodes there are, the root aside. */
  get nodeCount(): number {
    return this.#index.size + this.#wildcards
  }

  /** The node of a filter, made if there is none. */
  open(topicFilter: string): FilterNode {
    if (!hasWildcard(topicFilter)) {
      return this.#index.get(undefined, topicFilter, 0, topicFilter.length) ?? this.#add(undefined, topicFilter)
    }
    let node = this.#root
    for (const level of levelsOf(topicFilter)) node = this.#child(node, level) ?? this.#add(node, level)
    return node
  }

  find(topicFilter: string): FilterNode | undefined {
    if (!hasWildcard(topicFilter)) return this.#index.get(undefined, topicFilter, 0, topicFilter.length)
    let node: FilterNode | undefined = this.#root
    for (const level of levelsOf(topicFilter)) {
      node = this.#child(node, level)
      if (node === undefined) return undefined
    }
    return node
  }

  /** Removes a node that nothing uses any longer, and the levels above it that only led there. */
  prune(node: FilterNode): void {
    let at: FilterNode | undefined = node
    while (at !== undefined && at !== this.#root && at.isUnused) {
      this.#remove(at)
      at = at.parent
    }
  }

  addSubscription(node: FilterNode, subscription: Subscription): void {
    subscription.node = node
    subscription.isAbsent = subscription.session.isAbsent
    if (subscription.isAbsent) {
      node.absent = placed(node.absent, subscription)
      if (subscription.qos === 0) node.absentAtMostOnce++
    } else node.subscriptions = placed(node.subscriptions, subscription)
    this.changed()
  }

  removeSubscription(node: FilterNode, subscription: Subscription): void {
    subscription.node = undefined
    if (subscription.isAbsent) {
      node.absent = without(node.absent, subscription)
      if (subscription.qos === 0) node.absentAtMostOnce--
    } else node.subscriptions = without(node.subscriptions, subscription)
    this.changed()
  }

  /** The subscription's session has got a connection, or lost it. */
  presenceChanged(subscription: Subscription): void {
    const { node } = subscription
    if (node === undefined || subscription.isAbsent === subscription.session.isAbsent) return
    this.removeSubscription(node, subscription)
    this.addSubscription(node, subscription)
  }

  /** The nodes of every filter that a topic name matches, appended to `matches`. */
  match(topicName: string, matches: FilterNode[]): void {
    const exact = this.#index.get(undefined, topicName, 0, topicName.length)
    if (exact !== undefined) matches.push(exact)
    this.#matchLevel(this.#root, topicName, 0, matches)
  }

  #matchLevel(node: FilterNode, topicName: string, start: number, matches: FilterNode[]): void {
    const { children, single, multi } = node
    // [5.0 MQTT-4.7.2-1] a wildcard in the first level does not match a topic that begins with $
    const wildcards = start > 0 || topicName.charCodeAt(0) !== DOLLAR
    if (wildcards && multi !== undefined) matches.push(multi)
    if (children === 0 && single === undefined) return
    const end = topicName.indexOf('/', start)
    if (children > 0) {
      const exact = this.#index.get(node, topicName, start, end < 0 ? topicName.length : end)
      if (exact !== undefined) this.#matchRest(exact, topicName, end, matches)
    }
    if (wildcards && single !== undefined) this.#matchRest(single, topicName, end, matches)
  }

  #matchRest(node: FilterNode, topicName: string, end: number, matches: FilterNode[]): void {
    if (end >= 0) {
      this.#matchLevel(node, topicName, end + 1, matches)
      return
    }
    matches.push(node)
    // `sport/#` matches `sport` as well ([5.0 4.7.1.2])
    if (node.multi !== undefined) matches.push(node.multi)
  }

  #child(node: FilterNode, level: string): FilterNode | undefined {
    if (level === '+') return node.single
    if (level === '#') return node.multi
    return this.#index.get(node, level, 0, level.length)
  }

  #add(parent: FilterNode | undefined, level: string): FilterNode {
    const node = new FilterNode(parent, level)
    if (parent !== undefined && isWildcard(level)) {
      if (level === '+') parent.single = node
      else parent.multi = node
      this.#wildcards++
    } else {
      this.#index.add(node)
      if (parent !== undefined) parent.children++
    }
    return node
  }

  #remove(node: FilterNode): void {
    const { parent, level } = node
    if (parent !== undefined && isWildcard(level)) {
      if (level === '+') parent.single = undefined
      else parent.multi = undefined
      this.#wildcards--
    } else {
      this.#index.delete(node)
      if (parent !== undefined) parent.children--
    }
  }
}

const DOLLAR = 0x24

function placed(subscribed: Subscribed, subscription: Subscription): Subscribed {
  subscription.index = 0
  if (subscribed === undefined) return subscription
  const list = Array.isArray(subscribed) ? subscribed : [subscribed]
  subscription.index = list.push(subscription) - 1
  return list
}

/** The last one takes the place of the one that goes, so that the cost does not grow with their number. */
function without(subscribed: Subscribed, { index }: Subscription): Subscribed {
  if (!Array.isArray(subscribed)) return undefined
  const last = subscribed.pop()
  if (last !== undefined && last.index !== index) {
    last.index = index
    subscribed[index] = last
  }
  return subscribed.length > 1 ? subscribed : subscribed[0]
}

function isWildcard(level: string): boolean {
  return level === '+' || level === '#'
}

function levelsOf(topicFilter: string): readonly string[] {
  return topicFilter.split('/')
}
