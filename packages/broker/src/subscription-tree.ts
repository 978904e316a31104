import type { DurableQueue } from './durable-queue.ts'
import type { HistoryQueue } from './history-queue.ts'
import type { LocalSubscription } from './local-subscription.ts'
import type { SharedSubscription } from './shared-subscription.ts'
import type { Subscription } from './subscription.ts'

/**
 * One topic level of one or more topic filters. What a level usually lacks is undefined rather than empty, because
 * a broker may hold a million of these.
 */
export class FilterNode {
  readonly parent: FilterNode | undefined
  /** The level's own text: `+` and `#` stand for themselves. */
  readonly level: string
  children: Map<string, FilterNode> | undefined = undefined
  /** The subscriptions whose filter ends here; a subscription knows its index. */
  subscriptions: Subscription[] | undefined = undefined
  /** Those of durable sessions without a connection, apart, because nothing is offered to them. */
  absent: Subscription[] | undefined = undefined
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
      this.children === undefined &&
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
 * Topic filters, level by level. Matching walks the topic name in place, without splitting it.
 *
 * ```
 *   a/+/c  a/b  #        root ─┬─ a ─┬─ + ── c●
 *                              │     └─ b●
 *                              └─ #●
 * ```
 */
export class SubscriptionTree {
  readonly #root = new FilterNode(undefined, '')
  #version = 0

  /** Changes whenever a topic may match something else than before. */
  get version(): number {
    return this.#version
  }

  changed(): void {
    this.#version++
  }

  /** The node of a filter, made if there is none. */
  open(topicFilter: string): FilterNode {
    let node = this.#root
    for (const level of levelsOf(topicFilter)) {
      node.children ??= new Map()
      let child = node.children.get(level)
      if (child === undefined) {
        child = new FilterNode(node, level)
        node.children.set(level, child)
      }
      node = child
    }
    return node
  }

  find(topicFilter: string): FilterNode | undefined {
    let node: FilterNode | undefined = this.#root
    for (const level of levelsOf(topicFilter)) {
      node = node.children?.get(level)
      if (node === undefined) return undefined
    }
    return node
  }

  /** Removes a node that nothing uses any longer, and the levels above it that only led there. */
  prune(node: FilterNode): void {
    let at = node
    while (at.parent !== undefined && at.isUnused) {
      const { parent } = at
      parent.children?.delete(at.level)
      if (parent.children?.size === 0) parent.children = undefined
      at = parent
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
    this.#matchLevel(this.#root, topicName, 0, matches)
  }

  #matchLevel(node: FilterNode, topicName: string, start: number, matches: FilterNode[]): void {
    const { children } = node
    if (children === undefined) return
    // [5.0 MQTT-4.7.2-1] a wildcard in the first level does not match a topic that begins with $
    const wildcards = start > 0 || topicName.charCodeAt(0) !== DOLLAR
    if (wildcards) {
      const all = children.get('#')
      if (all !== undefined) matches.push(all)
    }
    const end = topicName.indexOf('/', start)
    const level = end < 0 ? topicName.slice(start) : topicName.slice(start, end)
    const exact = children.get(level)
    if (exact !== undefined) this.#matchRest(exact, topicName, end, matches)
    if (wildcards) {
      const single = children.get('+')
      if (single !== undefined) this.#matchRest(single, topicName, end, matches)
    }
  }

  #matchRest(node: FilterNode, topicName: string, end: number, matches: FilterNode[]): void {
    if (end >= 0) {
      this.#matchLevel(node, topicName, end + 1, matches)
      return
    }
    matches.push(node)
    // `sport/#` matches `sport` as well ([5.0 4.7.1.2])
    const all = node.children?.get('#')
    if (all !== undefined) matches.push(all)
  }
}

const DOLLAR = 0x24

function placed(list: Subscription[] | undefined, subscription: Subscription): Subscription[] {
  const subscriptions = list ?? []
  subscription.index = subscriptions.length
  subscriptions.push(subscription)
  return subscriptions
}

/** The last one takes the place of the one that goes, so that the cost does not grow with their number. */
function without(subscriptions: Subscription[] | undefined, { index }: Subscription): Subscription[] | undefined {
  const last = subscriptions?.pop()
  if (subscriptions === undefined || last === undefined) return undefined
  if (last.index !== index) {
    last.index = index
    subscriptions[index] = last
  }
  return subscriptions.length === 0 ? undefined : subscriptions
}

function levelsOf(topicFilter: string): readonly string[] {
  return topicFilter.split('/')
}
