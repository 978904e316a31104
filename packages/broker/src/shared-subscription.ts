import type { LogEntry, ProgressRecord, SequenceNumber, SequenceRange, SharedGroupRecord, StoredMessage } from '@godwit/storage'
import type { DurableQueue } from './durable-queue.ts'
import type { Engine } from './engine.ts'
import type { Fate } from './fates.ts'
import { Delivery, type DeliverySource } from './inflight.ts'
import { LogConsumer } from './log-consumer.ts'
import { LogReader, type LogReaderOwner } from './log-reader.ts'
import { Message } from './message.ts'
import { lowerQoS } from './quality-of-service.ts'
import type { QueuePlace } from './queue-place.ts'
import type { Session } from './session.ts'
import { ShareChooser } from './share-strategies.ts'
import type { Subscription } from './subscription.ts'
import type { FilterNode } from './subscription-tree.ts'
import { TransientQueue } from './transient-queue.ts'

/** Entries of the log asked for at a time, while any member has room. */
const ROOM = 64

const NO_IDENTIFIERS: readonly number[] = []

/**
 * A shared subscription's group: it gets messages as a session does, and hands each to one of its members
 * ([5.0 4.8.2]). With a durable member it reads the log from a cursor of its own, otherwise it has a queue in memory.
 * What no member can take waits with the group, not with a member.
 */
export class SharedSubscription implements DeliverySource, LogReaderOwner {
  /** `$share/NAME/FILTER` */
  readonly filter: string
  readonly shareName: string
  readonly node: FilterNode
  readonly #engine: Engine
  readonly #chooser: ShareChooser
  readonly #members: Subscription[] = []
  /** Sessions that left the group with messages of its in flight. */
  readonly #formerMembers = new Set<Session>()
  #consumer: LogConsumer | undefined
  #reader: LogReader | undefined
  readonly #queue: TransientQueue
  /** Left by members that went away; they come before anything new. In order of their sequence. */
  readonly #returned: Delivery[] = []

  constructor(engine: Engine, filter: string, shareName: string, node: FilterNode) {
    this.filter = filter
    this.shareName = shareName
    this.node = node
    this.#engine = engine
    this.#chooser = new ShareChooser(engine.options.shareStrategy, engine.random)
    const { transientQueuedMessagesMax } = engine.limits
    this.#queue = new TransientQueue(transientQueuedMessagesMax, engine.transientQueues, engine.fates, filter)
  }

  get group(): string {
    return this.filter
  }

  get isEmpty(): boolean {
    return this.#members.length === 0
  }

  /** Its position in the log; undefined while no member is durable. */
  get consumer(): LogConsumer | undefined {
    return this.#consumer
  }

  /** A member for whom hardly anything waits; undefined: there is none. */
  get idleMember(): Subscription | undefined {
    return this.#members.find(({ session }) => session.sender?.isHalfFull === false)
  }

  add(member: Subscription): void {
    this.#members.push(member)
    member.group = this
    member.session.joinGroup(this)
    this.#forget(member.session)
  }

  /** Takes a member's subscription out; what it has in flight it keeps ([5.0 MQTT-3.10.4-3]). */
  remove(member: Subscription): void {
    const index = this.#members.indexOf(member)
    if (index >= 0) this.#members.splice(index, 1)
    member.group = undefined
    member.session.leaveGroup(this)
    if (this.#hasInflight(member.session)) this.#remember(member.session)
  }

  /** A member leaves. Its messages in flight are its own from here on: after a restart there may be no group to read them from. */
  leave(member: Subscription): void {
    this.remove(member)
    member.session.keepInflight(this)
  }

  /** A member, or one that has left, has a message of the group in flight, as it had before a restart. */
  restoreInflight(session: Session): void {
    if (!session.groups.has(this)) this.#remember(session)
  }

  /** Gives the group a position in the log, now that it has a durable member; what waits in memory goes first. */
  becomeDurable(queue: DurableQueue, since: SequenceNumber, skipped: readonly SequenceRange[] = []): LogConsumer {
    const { store } = this.#engine
    const { filter } = this
    const sentRecords = () => ({ inflight: [], released: [] })
    const put = (place: QueuePlace) => store.putSharedGroup({ filter, since: place.since, skipped: place.skipped })
    const consumer = new LogConsumer('group', filter, store, sentRecords, () => this.#keepInflight(), put)
    consumer.join(queue, since, skipped)
    this.#consumer = consumer
    this.#reader = new LogReader(this.#engine, consumer, this)
    return consumer
  }

  /** A message that its filter matched; `sequence` is 0 if it is not in the log. */
  deliver(message: Message, sequence: SequenceNumber): void {
    if (message.qos === 0) {
      this.#deliverAtMostOnce(message)
      return
    }
    if (this.#isCaughtUp() && this.#handOver(message, sequence, false)) return
    if (this.#consumer !== undefined) this.#consumer.fallBehind(sequence)
    else this.#queue.push(new Delivery(message, message.qos, message.retain, NO_IDENTIFIERS, 0, this))
  }

  /** Goes on from where a stored group stood; `inflight` is what its members have. */
  restore(queue: DurableQueue, record: SharedGroupRecord, progress: ProgressRecord, inflight: readonly SequenceNumber[]): void {
    // The first durable member that came back made it durable as if it were new.
    this.#consumer?.leave(queue)
    this.becomeDurable(queue, record.since, record.skipped).restore(progress, inflight)
  }

  finish(sequence: SequenceNumber): void {
    if (this.#consumer === undefined || sequence === 0) return
    this.#consumer.finish(sequence)
    this.#engine.elisions.finished(sequence)
    this.#engine.store.touch(this.#consumer)
  }

  /** The rest of `DeliverySource`. */
  holds(sequence: SequenceNumber): boolean {
    return this.#consumer?.holds(sequence) === true
  }

  /**
   * The connection or session of a member, or of one that left the group, is gone. Its unacknowledged QoS 1 messages go to
   * other members; its QoS 2 messages wait for it, and end with its session ([5.0 MQTT-4.8.2-4], [5.0 MQTT-4.8.2-5]).
   */
  memberLeft(session: Session, how: 'disconnected' | 'ended'): void {
    if (how === 'disconnected' && !this.#members.some((member) => member.session.sender !== undefined)) return
    for (const delivery of [...session.inflight.unacknowledged]) {
      if (delivery.source !== this) continue
      if (delivery.qos === 1 || !delivery.wasSent) this.#takeBack(session, delivery)
      else if (how === 'ended') this.#end(delivery, session)
    }
    if (!this.#hasInflight(session)) this.#forget(session)
    session.touch()
    this.pump()
  }

  /** A member can take messages again: it gets those that lie with members who are not connected. */
  memberConnected(session: Session): void {
    this.#consumer?.resume()
    for (const member of this.#members) {
      if (member.session !== session && member.session.sender === undefined) this.memberLeft(member.session, 'disconnected')
    }
  }

  get room(): number {
    return this.#members.some(canTake) ? ROOM : 0
  }

  /** Its part of reading the log: a member gets the message. */
  takeEntry(entry: LogEntry): boolean {
    const { queue } = this.node
    if (queue !== undefined && this.#consumer?.placeIn(queue)?.covers(entry.sequence) === false) return true
    return this.#handOver(Message.of(entry.message), entry.sequence, false)
  }

  /** Hands over what waits, as far as members can take it. */
  pump(): void {
    for (let next = this.#returned[0]; next !== undefined; next = this.#returned[0]) {
      if (!this.#handOver(next.message, next.sequence, true)) return
      this.#returned.shift()
    }
    this.#drainQueue()
    if (this.#queue.length === 0) this.#reader?.read()
  }

  readFailed(error: unknown): void {
    this.#engine.reportStoreError(error)
  }

  /** The group ends with its last member: what had not been delivered is counted, and what is acknowledged later moves nothing. */
  end(fate: Fate): void {
    this.#consumer = undefined
    this.#reader = undefined
    this.#keepInflight()
    for (const session of this.#formerMembers) this.#forget(session)
    for (const delivery of this.#returned) this.#drop(fate, delivery.message)
    for (let waiting = this.#queue.shift(); waiting !== undefined; waiting = this.#queue.shift()) {
      this.#drop(fate, waiting.message)
    }
  }

  #isCaughtUp(): boolean {
    return this.#returned.length === 0 && this.#queue.length === 0 && this.#consumer?.caughtUp !== false
  }

  #deliverAtMostOnce(message: Message): void {
    const member = this.#chooser.choose(this.#members, message, ({ session }) => session.sender !== undefined)
    if (member === undefined) this.#drop('subscriber-offline', message)
    else member.session.sendAtMostOnce(message, message.retain && member.retainAsPublished, identifiersOf(member))
  }

  /**
   * Sends a message through one of the members, at the QoS granted to it ([5.0 MQTT-4.8.2-3]). False: none can take it.
   * @param again whether another member had it before, so that the group's position already counts it as sent
   */
  #handOver(message: Message, sequence: SequenceNumber, again: boolean): boolean {
    if (message.isExpired(this.#engine.clock.now())) {
      this.#drop('expired', message)
      if (again) this.finish(sequence)
      return true
    }
    const member = this.#chooser.choose(this.#members, message, canTake)
    if (member === undefined) return false
    const qos = lowerQoS(message.qos, member.qos)
    const retain = message.retain && member.retainAsPublished
    if (qos === 0) {
      member.session.sendAtMostOnce(message, retain, identifiersOf(member))
      if (again) this.finish(sequence)
    } else {
      if (!again && sequence > 0) this.#sent(sequence)
      member.session.send(new Delivery(message, qos, retain, identifiersOf(member), sequence, this))
    }
    return true
  }

  #sent(sequence: SequenceNumber): void {
    this.#consumer?.sent(sequence)
    this.#engine.elisions.taken()
  }

  #takeBack(session: Session, delivery: Delivery): void {
    session.inflight.withdraw(delivery)
    const later = this.#returned.findIndex((other) => other.sequence > delivery.sequence)
    if (later < 0) this.#returned.push(delivery)
    else this.#returned.splice(later, 0, delivery)
  }

  #end(delivery: Delivery, session: Session): void {
    session.inflight.withdraw(delivery)
    this.#engine.fates.record('session-ended', delivery.message, session.clientId)
    this.finish(delivery.sequence)
  }

  /** Its queue was left or cut: the members keep what they have in flight themselves. */
  #keepInflight(): void {
    for (const { session } of this.#members) session.keepInflight()
    for (const session of this.#formerMembers) session.keepInflight()
  }

  #hasInflight(session: Session): boolean {
    for (const { source } of session.inflight.unacknowledged) if (source === this) return true
    return false
  }

  #remember(session: Session): void {
    this.#formerMembers.add(session)
    session.rememberGroup(this)
  }

  #forget(session: Session): void {
    this.#formerMembers.delete(session)
    session.forgetGroup(this)
  }

  #drainQueue(): void {
    for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
      if (!this.#handOver(next.message, 0, false)) return
      this.#queue.shift()
    }
  }

  #drop(fate: Fate, message: StoredMessage): void {
    this.#engine.fates.record(fate, message, this.filter)
  }
}

function canTake({ session, qos }: Subscription): boolean {
  return qos === 0 ? session.sender !== undefined && !session.sender.isCongested : session.canSend
}

function identifiersOf(member: Subscription): readonly number[] {
  return member.identifier === 0 ? NO_IDENTIFIERS : [member.identifier]
}
