import { parseSharedSubscription, type SubscriptionRequest } from '@godwit/protocol'
import type {
  LeavingRecord,
  ReplayRecord,
  SequenceNumber,
  SequenceRange,
  StoredSharedGroup,
  SubscriptionRecord
} from '@godwit/storage'
import { DurableQueue } from './durable-queue.ts'
import type { Engine } from './engine.ts'
import type { Fate } from './fates.ts'
import { LocalSubscription } from './local-subscription.ts'
import type { Message } from './message.ts'
import type { Session } from './session.ts'
import { SharedSubscription } from './shared-subscription.ts'
import { Subscription } from './subscription.ts'
import type { FilterNode } from './subscription-tree.ts'
import { isSysFilter } from './sys-values.ts'

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
  add(
    session: Session,
    request: SubscriptionRequest,
    shared: SharedFilter | undefined,
    identifier: number,
    asked?: ReplayRecord
  ): Subscription {
    const replaced = session.subscriptions.get(request.topicFilter)
    const replay = replayFor(asked, replaced)
    // Messages that came since the first SUBSCRIBE stay covered, so that none is lost in the swap ([5.0 MQTT-3.8.4-4]).
    const isReadOn = replaced !== undefined && replaced.qos > 0 && request.qos > 0 && replay === undefined
    const isHandedOn = isReadOn || replaced?.isReplaying === true
    const since = isHandedOn ? replaced.since : this.#engine.store.lastSequence
    const subscription = new Subscription(session, request, shared, identifier, since)
    subscription.replay = replay
    this.#connect(subscription, replaced)
    if (session.isDurable) this.#engine.store.putSubscription(session.clientId, subscription.toRecord())
    return subscription
  }

  /** Puts back a subscription found in the store. */
  restore(session: Session, record: SubscriptionRecord, shared: SharedFilter | undefined): void {
    const subscription = new Subscription(session, record, shared, record.subscriptionIdentifier, record.since)
    subscription.replay = restoredReplay(record)
    const isLive = !subscription.isReplaying
    if (record.leaving !== undefined) this.#restoreLeaving(subscription, record.leaving, record.skipped)
    else if (record.qos > 0 && shared === undefined && isLive) this.#readQueue(subscription, record.since, record.skipped)
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
    } else this.#endStoredGroup(stored, shared)
  }

  /** A group whose members have all gone with their connections, and could not come back after a restart. */
  #endStoredGroup({ group, progress }: StoredSharedGroup, { topicFilter }: SharedFilter): void {
    const { store, fates } = this.#engine
    const after = Math.max(group.since, progress.cursor)
    const { messages } = store.backlog({ queue: store.openQueue(topicFilter), after })
    fates.recordMany('session-ended', messages - progress.finished.length, topicFilter, group.filter)
    store.deleteSharedGroup(group.filter)
  }

  /** The group of `$share/NAME/FILTER`. */
  findGroup(filter: string): SharedSubscription | undefined {
    const shared = parseSharedSubscription(filter)
    return shared === undefined ? undefined : this.#engine.tree.find(shared.topicFilter)?.groups?.get(shared.shareName)
  }

  /** Ends the subscription with exactly this filter ([5.0 MQTT-3.10.4-1]); false: there is none. */
  remove(session: Session, topicFilter: string, fate: Fate): boolean {
    const subscription = session.subscriptions.get(topicFilter)
    if (subscription === undefined) return false
    const node = this.#engine.tree.find(subscription.matchFilter)
    if (subscription.retainedScan !== undefined) session.retainedScans.end(subscription)
    if (subscription.isReplaying) session.replays.abandon(subscription, fate)
    session.subscriptions.remove(subscription)
    this.#engine.sysTopics.remove(subscription)
    this.#count--
    if (node !== undefined && !subscription.isReplaying) {
      if (subscription.group !== undefined) this.#leaveGroup(node, subscription.group, subscription, fate)
      else this.#disconnect(node, subscription, fate)
      this.#engine.tree.prune(node)
    }
    if (subscription.leaving !== undefined) session.subscriptions.endLeaving(subscription.leaving, fate)
    if (session.isDurable) this.#engine.store.deleteSubscription(session.clientId, topicFilter)
    return true
  }

  /** What waited for a subscription that one of QoS 0 replaced has been sent, or its session ends. */
  finishLeaving(leaving: Subscription, fate: Fate): void {
    const { session, topicFilter, matchFilter } = leaving
    const current = session.subscriptions.get(topicFilter)
    if (current?.leaving === leaving) {
      current.leaving = undefined
      this.#engine.store.putSubscription(session.clientId, current.toRecord())
    }
    if (current !== undefined && current.qos > 0 && !current.isReplaying) return
    const node = this.#engine.tree.find(matchFilter)
    if (node === undefined) return
    this.#leaveQueue(node, leaving, fate)
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
    if (isSysFilter(topicFilter)) this.#engine.sysTopics.addLocal(local)
    return () => {
      if (node.locals?.delete(local) !== true) return
      this.#engine.sysTopics.remove(local)
      if (node.locals.size === 0) node.locals = undefined
      tree.changed()
      tree.prune(node)
    }
  }

  /** All the history of a subscription has been sent: from here on it gets what is published. */
  goLive(subscription: Subscription): void {
    const { session, replay, matchFilter } = subscription
    subscription.since = this.#engine.store.lastSequence
    if (replay !== undefined) subscription.replay = { historyFilter: replay.historyFilter, after: undefined }
    session.subscriptions.add(subscription)
    this.#join(this.#engine.tree.open(matchFilter), subscription, undefined)
    if (session.isDurable) this.#engine.store.putSubscription(session.clientId, subscription.toRecord())
  }

  #connect(subscription: Subscription, replaced: Subscription | undefined): void {
    const { session } = subscription
    if (replaced === undefined) this.#count++
    else {
      if (replaced.retainedScan !== undefined) session.retainedScans.handOver(replaced, subscription)
      session.subscriptions.remove(replaced)
      this.#engine.sysTopics.remove(replaced)
      subscription.leaving = replaced.leaving
    }
    session.subscriptions.add(subscription)
    if (subscription.isReplaying) {
      if (replaced !== undefined && !replaced.isReplaying) this.#standBack(replaced, subscription)
      session.replays.begin(subscription)
      if (replaced !== undefined) session.replays.end(replaced)
      return
    }
    const node = this.#engine.tree.open(subscription.matchFilter)
    if (subscription.shareName !== undefined) this.#joinGroup(node, subscription, subscription.shareName, replaced)
    else this.#join(node, subscription, replaced)
    if (isSysFilter(subscription.matchFilter)) this.#engine.sysTopics.add(subscription, replaced)
  }

  /** A live subscription is replaced by one that is sent history first: what waits for it is still sent. */
  #standBack(replaced: Subscription, successor: Subscription): void {
    const { tree } = this.#engine
    const { session, node } = replaced
    if (node === undefined) return
    tree.removeSubscription(node, replaced)
    if (replaced.qos > 0 && session.consumer?.caughtUp === false) this.#leaveQueueLater(node, replaced, successor)
    else this.#leaveQueue(node, replaced, 'unsubscribed')
    tree.prune(node)
  }

  #join(node: FilterNode, subscription: Subscription, replaced: Subscription | undefined): void {
    const { consumer } = subscription.session
    if (replaced !== undefined) this.#engine.tree.removeSubscription(node, replaced)
    this.#engine.tree.addSubscription(node, subscription)
    if (consumer === undefined) return
    if (subscription.qos > 0) consumer.join(this.#queueOf(node, subscription.matchFilter), subscription.since)
    else if (replaced === undefined || replaced.qos === 0) return
    else if (consumer.caughtUp) this.#leaveQueue(node, replaced, 'unsubscribed')
    else this.#leaveQueueLater(node, replaced, subscription)
  }

  /** What waits for a subscription is still sent, though its successor reads no queue, or not yet. */
  #leaveQueueLater({ queue }: FilterNode, replaced: Subscription, successor: Subscription): void {
    const { session } = replaced
    session.subscriptions.leaveLater(replaced, successor)
    if (queue !== undefined) session.consumer?.leaveLater(queue)
  }

  /** The queue is read for it first: from where it, not its successor, began. */
  #restoreLeaving(successor: Subscription, record: LeavingRecord, skipped: readonly SequenceRange[]): void {
    const { session, topicFilter } = successor
    const { subscriptionIdentifier, since, until } = record
    const leaving = new Subscription(session, { ...record, topicFilter }, undefined, subscriptionIdentifier, since)
    leaving.until = until
    session.subscriptions.restoreLeaving(leaving, successor)
    const isReadOn = successor.qos > 0 && !successor.isReplaying
    this.#readQueue(successor, since, skipped, isReadOn ? Infinity : until)
  }

  /** Reads a queue again of which something may have been given up. */
  #readQueue(
    { session, matchFilter }: Subscription,
    since: SequenceNumber,
    skipped: readonly SequenceRange[],
    until: SequenceNumber = Infinity
  ): void {
    session.consumer?.join(this.#queueOf(this.#engine.tree.open(matchFilter), matchFilter), since, skipped, until)
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
    group.leave(subscription)
    this.#engine.tree.changed()
    if (!group.isEmpty) return
    const { queue } = node
    const { consumer } = group
    group.end(fate)
    this.#engine.sysTopics.remove(group)
    node.groups?.delete(group.shareName)
    if (node.groups?.size === 0) node.groups = undefined
    if (consumer === undefined || queue === undefined) return
    this.#engine.fates.recordMany(fate, consumer.waiting(queue), queue.topicFilter, group.filter)
    consumer.leave(queue)
    this.#engine.store.deleteSharedGroup(group.filter)
    this.#closeIfUnused(node, queue)
  }

  #queueOf(node: FilterNode, topicFilter: string): DurableQueue {
    const { store, overflow, queues, tree } = this.#engine
    if (node.queue === undefined) {
      node.queue = new DurableQueue(store, topicFilter, overflow, (queue) => this.#toTrim(queue))
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

/**
 * What a subscription is to be sent before it is live. One that replaces another in the midst of its replay goes on with
 * that, and does not begin after what has been published since ([5.0 MQTT-3.8.4-4]).
 */
function replayFor(asked: ReplayRecord | undefined, replaced: Subscription | undefined): ReplayRecord | undefined {
  const unfinished = replaced?.replay
  if (replaced === undefined || unfinished?.after === undefined) return asked
  if (asked?.after === undefined) return unfinished
  return { historyFilter: asked.historyFilter, after: Math.min(asked.after, Math.max(unfinished.after, replaced.since)) }
}

/** A place that was not kept up to date is none to go on from: at QoS 0 nothing is sent twice. */
function restoredReplay({ replay, qos }: SubscriptionRecord): ReplayRecord | undefined {
  return replay === undefined || qos > 0 ? replay : { historyFilter: replay.historyFilter, after: undefined }
}
