import type { SubscriptionRequest } from '@godwit/protocol'
import type { StoredSharedGroup, SubscriptionRecord } from '@godwit/storage'
import { DurableQueue } from './durable-queue.ts'
import type { Engine } from './engine.ts'
import type { Fate } from './fates.ts'
import { LocalSubscription } from './local-subscription.ts'
import type { Message } from './message.ts'
import type { Session } from './session.ts'
import { SharedSubscription } from './shared-subscription.ts'
import { Subscription } from './subscription.ts'
import type { FilterNode } from './subscription-tree.ts'

/** The parts of `$share/NAME/FILTER`. */
export interface SharedFilter {
  readonly shareName: string
  readonly topicFilter: string
}

/** How often finished messages are cut from queues that few new ones come to. */
const TRIM_INTERVAL_MS = 1000

/** Makes and ends subscriptions, and keeps the tree, the groups, the log's queues and the store in step with them. */
export class Subscriptions {
  readonly #engine: Engine
  readonly #queuesToTrim = new Set<DurableQueue>()
  readonly #trimTimer
  #count = 0

  constructor(engine: Engine) {
    this.#engine = engine
    this.#trimTimer = engine.timers.create(() => this.#trimQueues())
  }

  /** How many there are, of all sessions. */
  get count(): number {
    return this.#count
  }

  /** Makes a subscription, or replaces that of the same filter ([5.0 MQTT-3.8.4-3], [3.1.1 MQTT-3.8.4-3]). */
  add(session: Session, request: SubscriptionRequest, shared: SharedFilter | undefined, identifier: number): Subscription {
    const replaced = session.subscriptions.get(request.topicFilter)
    // Messages that came since the first SUBSCRIBE stay covered, so that none is lost in the swap ([5.0 MQTT-3.8.4-4]).
    const isHandedOn = replaced !== undefined && replaced.qos > 0 && request.qos > 0
    const since = isHandedOn ? replaced.since : this.#engine.store.lastSequence
    const subscription = new Subscription(session, request, shared, identifier, since)
    this.#connect(subscription, replaced)
    if (session.isDurable) this.#engine.store.putSubscription(session.clientId, subscription.toRecord())
    return subscription
  }

  /** Puts back a subscription found in the store. */
  restore(session: Session, record: SubscriptionRecord, shared: SharedFilter | undefined): void {
    const subscription = new Subscription(session, record, shared, record.subscriptionIdentifier, record.since)
    this.#connect(subscription, undefined)
    subscription.retainedScan = record.retainedScan
    if (record.retainedScan !== undefined) session.retainedScans.restore(subscription)
  }

  /** Puts back where a group stood, after its members' subscriptions; `inflight` is what they have of it. */
  restoreGroup(stored: StoredSharedGroup, shared: SharedFilter, inflight: readonly number[]): void {
    const node = this.#engine.tree.find(shared.topicFilter)
    const group = node?.groups?.get(shared.shareName)
    if (node !== undefined && group !== undefined) {
      group.restore(this.#queueOf(node, shared.topicFilter), stored.group, stored.progress, inflight)
      this.#engine.store.putSharedGroup(stored.group)
    } else this.#engine.store.deleteSharedGroup(stored.group.filter)
  }

  /** Ends the subscription with exactly this filter ([5.0 MQTT-3.10.4-1]); false: there is none. */
  remove(session: Session, topicFilter: string, fate: Fate): boolean {
    const subscription = session.subscriptions.get(topicFilter)
    if (subscription === undefined) return false
    const node = this.#engine.tree.find(subscription.matchFilter)
    session.retainedScans.end(subscription)
    session.removeSubscription(subscription)
    this.#count--
    if (node !== undefined) {
      if (subscription.group !== undefined) this.#leaveGroup(node, subscription.group, subscription, fate)
      else this.#disconnect(node, subscription, fate)
      this.#engine.tree.prune(node)
    }
    if (session.isDurable) this.#engine.store.deleteSubscription(session.clientId, topicFilter)
    return true
  }

  /** What waited for a subscription that one of QoS 0 replaced has been sent, or its session ends. */
  finishLeaving(replaced: Subscription, fate: Fate): void {
    const current = replaced.session.subscriptions.get(replaced.topicFilter)
    if (current !== undefined && current.qos > 0) return
    const node = this.#engine.tree.find(replaced.matchFilter)
    if (node === undefined) return
    this.#leaveQueue(node, replaced, fate)
    this.#engine.tree.prune(node)
  }

  /** Has the application that embeds the broker listen to a topic filter; returns what ends it. */
  addLocal(topicFilter: string, listener: (message: Message) => void): () => void {
    const { tree } = this.#engine
    const node = tree.open(topicFilter)
    const local = new LocalSubscription(topicFilter, listener)
    node.locals ??= new Set()
    node.locals.add(local)
    tree.changed()
    return () => {
      if (node.locals?.delete(local) !== true) return
      if (node.locals.size === 0) node.locals = undefined
      tree.changed()
      tree.prune(node)
    }
  }

  #connect(subscription: Subscription, replaced: Subscription | undefined): void {
    const { session } = subscription
    const node = this.#engine.tree.open(subscription.matchFilter)
    if (replaced === undefined) this.#count++
    else {
      session.retainedScans.handOver(replaced, subscription)
      session.removeSubscription(replaced)
    }
    session.addSubscription(subscription)
    if (subscription.shareName !== undefined) this.#joinGroup(node, subscription, subscription.shareName, replaced)
    else this.#join(node, subscription, replaced)
  }

  #join(node: FilterNode, subscription: Subscription, replaced: Subscription | undefined): void {
    const { consumer } = subscription.session
    if (replaced !== undefined) this.#engine.tree.removeSubscription(node, replaced)
    this.#engine.tree.addSubscription(node, subscription)
    if (consumer === undefined) return
    if (subscription.qos > 0) consumer.join(this.#queueOf(node, subscription.matchFilter), subscription.since)
    else if (replaced === undefined || replaced.qos === 0) return
    else if (consumer.caughtUp) this.#leaveQueue(node, replaced, 'unsubscribed')
    else subscription.session.leaveLater(replaced)
  }

  #joinGroup(node: FilterNode, subscription: Subscription, shareName: string, replaced: Subscription | undefined): void {
    node.groups ??= new Map()
    let group = node.groups.get(shareName)
    if (group === undefined) {
      group = new SharedSubscription(this.#engine, subscription.topicFilter, shareName, node)
      node.groups.set(shareName, group)
    }
    if (replaced !== undefined) group.remove(replaced)
    group.add(subscription)
    this.#engine.tree.changed()
    if (subscription.session.isDurable && subscription.qos > 0 && group.consumer === undefined) {
      const since = this.#engine.store.lastSequence
      group.becomeDurable(this.#queueOf(node, subscription.matchFilter), since)
      this.#engine.store.putSharedGroup({ filter: group.filter, since, skipped: [] })
    }
  }

  #disconnect(node: FilterNode, subscription: Subscription, fate: Fate): void {
    this.#engine.tree.removeSubscription(node, subscription)
    this.#leaveQueue(node, subscription, fate)
  }

  #leaveQueue(node: FilterNode, subscription: Subscription, fate: Fate): void {
    const { consumer, clientId } = subscription.session
    const { queue } = node
    if (consumer === undefined || queue === undefined || subscription.qos === 0 || !consumer.reads(queue)) return
    this.#engine.fates.recordMany(fate, consumer.waiting(queue, subscription.until), queue.topicFilter, clientId)
    consumer.leave(queue)
    this.#closeIfUnused(node, queue)
  }

  #leaveGroup(node: FilterNode, group: SharedSubscription, subscription: Subscription, fate: Fate): void {
    group.remove(subscription)
    this.#engine.tree.changed()
    if (!group.isEmpty) return
    const { queue } = node
    const { consumer } = group
    group.end(fate)
    node.groups?.delete(group.shareName)
    if (node.groups?.size === 0) node.groups = undefined
    if (consumer === undefined || queue === undefined) return
    this.#engine.fates.recordMany(fate, consumer.waiting(queue), queue.topicFilter, group.filter)
    consumer.leave(queue)
    this.#engine.store.deleteSharedGroup(group.filter)
    this.#closeIfUnused(node, queue)
  }

  #queueOf(node: FilterNode, topicFilter: string): DurableQueue {
    const { store, limits, fates, queues, tree } = this.#engine
    if (node.queue === undefined) {
      node.queue = new DurableQueue(store, topicFilter, limits, fates, (queue) => this.#toTrim(queue))
      queues.set(node.queue.id, node.queue)
      tree.changed()
    }
    return node.queue
  }

  #closeIfUnused(node: FilterNode, queue: DurableQueue): void {
    if (!queue.isUnused) return
    node.queue = undefined
    this.#engine.queues.delete(queue.id)
    this.#queuesToTrim.delete(queue)
    this.#engine.store.dropQueue(queue.id)
    this.#engine.tree.changed()
  }

  #toTrim(queue: DurableQueue): void {
    if (this.#queuesToTrim.size === 0) this.#engine.timers.set(this.#trimTimer, this.#engine.clock.now() + TRIM_INTERVAL_MS)
    this.#queuesToTrim.add(queue)
  }

  #trimQueues(): void {
    for (const queue of this.#queuesToTrim) queue.trim()
    this.#queuesToTrim.clear()
  }
}
