import type { QoS, RetainHandling, SubscriptionRequest } from '@godwit/protocol'
import type { RetainedScanRecord, SequenceNumber, SubscriptionRecord } from '@godwit/storage'
import type { Session } from './session.ts'
import type { SharedSubscription } from './shared-subscription.ts'
import type { FilterNode } from './subscription-tree.ts'

/** A session's subscription to one topic filter; a member's place in a group if it is a shared one. */
export class Subscription {
  readonly session: Session
  /** As the client wrote it, `$share/NAME/` included: what UNSUBSCRIBE has to repeat. */
  readonly topicFilter: string
  /** What topic names are matched against. */
  readonly matchFilter: string
  readonly shareName: string | undefined
  readonly qos: QoS
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly retainHandling: RetainHandling
  /** 0: none. */
  readonly identifier: number
  /** It covers messages after this one; a replaced subscription hands its own on, so that none is lost between. */
  readonly since: SequenceNumber
  /** It covers messages up to this one: where it was replaced by another that does not read the log. */
  until: SequenceNumber = Infinity
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
    return {
      topicFilter: this.topicFilter,
      qos: this.qos,
      noLocal: this.noLocal,
      retainAsPublished: this.retainAsPublished,
      retainHandling: this.retainHandling,
      subscriptionIdentifier: this.identifier,
      since: this.since,
      retainedScan: this.retainedScan,
      skipped: [],
      leaving: undefined,
      replay: undefined
    }
  }
}
