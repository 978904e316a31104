import type { QoS, RetainHandling, SubscriptionRequest } from '@godwit/protocol'
import type { LeavingRecord, ReplayRecord, RetainedScanRecord, SequenceNumber, SubscriptionRecord } from '@godwit/storage'
import type { QueuePlace } from './queue-place.ts'
import type { Session } from './session.ts'
import type { SharedSubscription } from './shared-subscription.ts'
import type { FilterNode } from './subscription-tree.ts'

/** A session's subscription to one topic filter; a member's place in a group if it is a shared one. */
export class Subscription {
  // First what a match looks at, side by side: of a million subscriptions each lies far away in memory.
  readonly session: Session
  readonly qos: QoS
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  /** 0: none. */
  readonly identifier: number
  /** The history that it was made with; its messages then tell their sequence numbers. */
  replay: ReplayRecord | undefined = undefined
  readonly retainHandling: RetainHandling
  /** As the client wrote it, `$share/NAME/` included: what UNSUBSCRIBE has to repeat. */
  readonly topicFilter: string
  /** What topic names are matched against. */
  readonly matchFilter: string
  readonly shareName: string | undefined
  /** It covers messages after this one; a replaced subscription hands its own on, so that none is lost between. */
  since: SequenceNumber
  /** It covers messages up to this one: where it was replaced by another that does not read the log. */
  until: SequenceNumber = Infinity
  /** The subscription for which messages still wait, though one of QoS 0 has replaced it ([5.0 MQTT-3.8.4-4]). */
  leaving: Subscription | undefined = undefined
  /** Where the tree has it, and its place there; undefined: it is not in the tree. */
  node: FilterNode | undefined = undefined
  index = -1
  /** Whether the tree has it among those whose sessions have no connection. */
  isAbsent = false
  group: SharedSubscription | undefined = undefined
  retainedScan: RetainedScanRecord | undefined = undefined

  constructor(
    session: Session,
    request: SubscriptionRequest,
    shared: { readonly shareName: string; readonly topicFilter: string } | undefined,
    identifier: number,
    since: SequenceNumber
  ) {
    this.session = session
    this.topicFilter = request.topicFilter
    this.matchFilter = shared === undefined ? request.topicFilter : shared.topicFilter
    this.shareName = shared?.shareName
    this.qos = request.qos
    this.noLocal = request.noLocal
    this.retainAsPublished = request.retainAsPublished
    this.retainHandling = request.retainHandling
    this.identifier = identifier
    this.since = since
  }

  toRecord(): SubscriptionRecord {
    const place = this.#place
    return {
      topicFilter: this.topicFilter,
      qos: this.qos,
      noLocal: this.noLocal,
      retainAsPublished: this.retainAsPublished,
      retainHandling: this.retainHandling,
      subscriptionIdentifier: this.identifier,
      since: this.qos === 0 ? this.since : Math.max(this.since, place?.since ?? 0),
      retainedScan: this.retainedScan,
      skipped: place?.skipped ?? [],
      leaving: this.leaving === undefined ? undefined : leavingRecordOf(this.leaving, place),
      replay: this.replay
    }
  }

  /** Whether it is still being sent history: only then it becomes live, and covers what comes from there on. */
  get isReplaying(): boolean {
    return this.replay?.after !== undefined
  }

  /** Where its session has come to in the queue of its filter; undefined: it reads none. */
  get #place(): QueuePlace | undefined {
    const { consumer } = this.session
    const queue = this.node?.queue
    if (queue !== undefined) return consumer?.placeIn(queue)
    // It is not in the tree while it is sent history, and the one that it replaced may still be read for.
    return this.leaving === undefined ? undefined : consumer?.placeOf(this.matchFilter)
  }

  /** The same, for messages from another place on. */
  from(since: SequenceNumber): Subscription {
    const { shareName, matchFilter: topicFilter } = this
    const shared = shareName === undefined ? undefined : { shareName, topicFilter }
    return new Subscription(this.session, this, shared, this.identifier, since)
  }
}

function leavingRecordOf(leaving: Subscription, place: QueuePlace | undefined): LeavingRecord | undefined {
  const { qos, noLocal, retainAsPublished, retainHandling, identifier: subscriptionIdentifier, until } = leaving
  if (qos === 0) return undefined
  const since = Math.max(leaving.since, place?.since ?? 0)
  return { qos, noLocal, retainAsPublished, retainHandling, subscriptionIdentifier, since, until }
}
