import { ReasonCode, reasonCodeName } from '@godwit/protocol'
import type { LogEntry, SequenceNumber, SessionRecord, StoredMessage } from '@godwit/storage'
import type { Engine } from './engine.ts'
import type { Fate } from './fates.ts'
import { IdentifierTable } from './identifier-table.ts'
import { Delivery, type DeliverySource, Inflight } from './inflight.ts'
import { LogConsumer } from './log-consumer.ts'
import { LogReader, type LogReaderOwner } from './log-reader.ts'
import type { Target } from './match.ts'
import { Message } from './message.ts'
import { RetainedScans } from './retained-scans.ts'
import { Replays } from './replays.ts'
import type { PacketSender } from './packet-sender.ts'
import { lowerQoS } from './quality-of-service.ts'
import { SessionSubscriptions } from './session-subscriptions.ts'
import type { SharedSubscription } from './shared-subscription.ts'
import { TransientQueue } from './transient-queue.ts'

const NO_GROUPS: ReadonlySet<SharedSubscription> = new Set()

/**
 * A client's session: its subscriptions, and what is on its way to it. It outlives network connections until its
 * Session Expiry Interval ends ([5.0 4.1], [3.1.1 3.1.2.4]).
 *
 * A durable one (interval above 0) reads the log from a cursor; one that ends with its connection has a bounded queue
 * in memory. QoS 0 is never kept for either.
 *
 * What many sessions never need is made when it is first needed: there may be a million of them, most of which idle.
 */
export class Session implements DeliverySource, LogReaderOwner {
  readonly clientId: string
  /** Whether it has outlived, or may outlive, a connection; fixed for its life. */
  readonly isDurable: boolean
  /** Seconds; Infinity: never. */
  expiryIntervalSeconds: number
  /** When the last connection closed: milliseconds since the Unix epoch; 0: it is connected. */
  disconnectedAtMs = 0
  readonly inflight: Inflight
  /** What `received` holds. */
  receivedBytes = 0
  readonly group = undefined
  readonly #engine: Engine
  readonly #consumer: LogConsumer | undefined
  readonly #reader: LogReader | undefined
  #queue: TransientQueue | undefined = undefined
  #subscriptions: SessionSubscriptions | undefined = undefined
  #groups: Set<SharedSubscription> | undefined = undefined
  #formerGroups: Set<SharedSubscription> | undefined = undefined
  /** QoS 2 messages that came in and wait for their PUBREL. */
  #received: IdentifierTable<Message> | undefined = undefined
  #retainedScans: RetainedScans | undefined = undefined
  #replays: Replays | undefined = undefined
  #sender: PacketSender | undefined = undefined
  /** Room has come back for messages that wait. */
  #needsPump = false

  /** @param isDurable told for one that was stored: its interval may have become 0 since */
  constructor(engine: Engine, clientId: string, expiryIntervalSeconds: number, isDurable: boolean = expiryIntervalSeconds > 0) {
    this.#engine = engine
    this.clientId = clientId
    this.expiryIntervalSeconds = expiryIntervalSeconds
    this.isDurable = isDurable
    const { store } = engine
    if (this.isDurable) {
      this.inflight = new Inflight({
        put: (packetIdentifier, message) => store.putInflight(clientId, packetIdentifier, message),
        delete: (packetIdentifier) => store.deleteInflight(clientId, packetIdentifier)
      })
      const sentRecords = () => this.inflight.toRecords()
      this.#consumer = new LogConsumer(
        'session',
        clientId,
        store,
        sentRecords,
        () => this.keepInflight(),
        ({ queue }) => this.#putSubscription(queue.topicFilter)
      )
      this.#reader = new LogReader(engine, this.#consumer, this)
    } else {
      this.inflight = new Inflight()
      this.#consumer = undefined
      this.#reader = undefined
    }
  }

  get subscriptions(): SessionSubscriptions {
    return (this.#subscriptions ??= new SessionSubscriptions(this.#engine, this))
  }

  /** The groups it is a member of. */
  get groups(): ReadonlySet<SharedSubscription> {
    return this.#groups ?? NO_GROUPS
  }

  /** The groups that it left with messages of theirs in flight. */
  get formerGroups(): ReadonlySet<SharedSubscription> {
    return this.#formerGroups ?? NO_GROUPS
  }

  /** How many QoS 2 messages came in and wait for their PUBREL. */
  get unreleased(): number {
    return this.#received?.size ?? 0
  }

  get retainedScans(): RetainedScans {
    return (this.#retainedScans ??= new RetainedScans(this.#engine, this))
  }

  get replays(): Replays {
    return (this.#replays ??= new Replays(this.#engine, this))
  }

  /** Whether `pump` has something for it besides what was in flight or waited already: what a new subscription brings. */
  get hasToCatchUp(): boolean {
    return this.#retainedScans?.isActive === true || this.#replays?.isActive === true || this.groups.size > 0
  }

  /** What messages go by; undefined while there is no connection, or before its CONNACK. */
  get sender(): PacketSender | undefined {
    return this.#sender
  }

  /** Whether nothing can be offered to it now: it reads later, from the log, what is kept for it. */
  get isAbsent(): boolean {
    return this.isDurable && this.#sender === undefined
  }

  /** The position in the log of a durable session. */
  get consumer(): LogConsumer | undefined {
    return this.#consumer
  }

  /** Whether a QoS 1 or 2 message could be sent right now. */
  get canSend(): boolean {
    return this.#sender !== undefined && this.inflight.hasRoom && !this.#sender.isCongested
  }

  /** How many QoS 1 and 2 messages could be sent right now. */
  get room(): number {
    return this.canSend ? this.inflight.room : 0
  }

  /** Begins to send on a connection whose CONNACK has gone out: first what is unfinished, then what waits. */
  attach(sender: PacketSender, receiveMaximum: number): void {
    this.#sender = sender
    this.disconnectedAtMs = 0
    this.inflight.open(Math.min(receiveMaximum, this.#engine.limits.inflightMax))
    this.#presenceChanged()
    this.#consumer?.resume()
    for (const packetIdentifier of this.inflight.released) sender.sendPubrel(packetIdentifier)
    for (const group of this.groups) group.memberConnected(this)
    this.pump()
  }

  /** The connection is gone. Messages that came by groups go to their other members. */
  detach(): void {
    this.#sender = undefined
    this.#presenceChanged()
    this.#consumer?.pause()
    for (const delivery of this.inflight.unacknowledged) delivery.message.own()
    for (const group of [...this.groups, ...this.formerGroups]) group.memberLeft(this, 'disconnected')
  }

  joinGroup(group: SharedSubscription): void {
    this.#groups ??= new Set()
    this.#groups.add(group)
  }

  leaveGroup(group: SharedSubscription): void {
    this.#groups?.delete(group)
  }

  /** It has messages of a group in flight that it is no member of. */
  rememberGroup(group: SharedSubscription): void {
    this.#formerGroups ??= new Set()
    this.#formerGroups.add(group)
  }

  forgetGroup(group: SharedSubscription): void {
    this.#formerGroups?.delete(group)
  }

  /** A message that a topic of its subscriptions matched; `sequence` is 0 if it is not in the log. */
  deliver(published: Message, matched: Target, sequence: SequenceNumber): void {
    const target = published.publisherClientId === this.clientId ? matched.forOwnMessages : matched
    if (target === undefined) return
    const message = target.tellsSequence && sequence > 0 ? published.withSequence(sequence) : published
    const qos = lowerQoS(message.qos, target.qos)
    const retain = target.retainAsPublished && message.retain
    if (qos === 0) {
      this.sendAtMostOnce(message, retain, target.subscriptionIdentifiers)
    } else if (this.canSend && this.#isCaughtUp()) {
      this.send(this.#deliveryOf(message, qos, retain, target, sequence))
    } else if (this.#consumer !== undefined) {
      this.#consumer.fallBehind(sequence)
    } else {
      this.#queue ??= this.#newQueue()
      this.#queue.push(this.#deliveryOf(message, qos, retain, target, sequence))
    }
  }

  /** Sends at QoS 0, or records why not. */
  sendAtMostOnce(message: Message, retain: boolean, subscriptionIdentifiers: readonly number[]): void {
    const sender = this.#sender
    if (sender === undefined) this.#drop('subscriber-offline', message)
    else if (sender.isCongested) this.#drop('slow-subscriber', message)
    else if (!sender.sendAtMostOnce(message, retain, subscriptionIdentifiers)) {
      this.#drop('too-large-for-client', message)
    }
  }

  /** Takes a message into flight and sends it; only with `canSend`. */
  send(delivery: Delivery): void {
    const sender = this.#sender
    if (sender === undefined || !sender.takes(delivery)) {
      // [5.0 MQTT-3.1.2-25] what is too large for the client counts as delivered
      this.#drop('too-large-for-client', delivery.message)
      if (delivery.source !== this) delivery.source?.finish(delivery.sequence)
      return
    }
    delivery.message.own()
    this.inflight.add(delivery)
    if (delivery.source === this) this.#sent(delivery.sequence)
    // What no queue holds is found after a restart by its identifier alone.
    if (delivery.isKept) this.touch()
    this.#transmit(sender, delivery)
  }

  /** Sends whatever there is room for: what is unfinished, retained messages, what waits in the log or the queue. */
  pump(): void {
    const sender = this.#sender
    if (sender === undefined) return
    while (!sender.isCongested) {
      const delivery = this.inflight.nextToResend()
      if (delivery === undefined) break
      // What never left may still expire, unlike what was sent ([5.0 MQTT-3.3.2-5], [5.0 MQTT-4.3.3-7]).
      if (!delivery.wasSent && delivery.message.isExpired(this.#engine.clock.now())) this.#giveUp(delivery, 'expired')
      else if (!sender.takes(delivery)) this.#giveUp(delivery, 'too-large-for-client')
      else this.#transmit(sender, delivery)
    }
    if (this.#retainedScans?.isActive === true) this.#retainedScans.run(sender)
    this.#reader?.read()
    if (this.#consumer?.caughtUp === true) this.#subscriptions?.endAllLeaving('unsubscribed')
    this.#drainQueue()
    for (const group of this.groups) group.pump()
    // Last, so that history does not hold up what is live.
    if (this.#replays?.isActive === true) this.#replays.run(sender)
  }

  /** Its part of reading the log: a message that waited is sent, unless nothing is left of it for this session. */
  takeEntry(entry: LogEntry): boolean {
    const message = Message.of(entry.message)
    // The clock is not looked at for nothing.
    if (message.expiresAtMs !== Infinity && message.isExpired(this.#engine.clock.now())) {
      this.#drop('expired', message)
      return true
    }
    const matched = this.#subscriptions?.targetOf(entry)
    const target = message.publisherClientId === this.clientId ? matched?.forOwnMessages : matched
    if (target === undefined) return true
    const qos = lowerQoS(message.qos, target.qos)
    // What is left for its own message may be QoS 0, which went out when it was published.
    if (qos === 0) return true
    const retain = target.retainAsPublished && message.retain
    const told = target.tellsSequence ? message.withSequence(entry.sequence) : message
    this.send(this.#deliveryOf(told, qos, retain, target, entry.sequence))
    return true
  }

  /** The store could not be read: the client is sent away rather than left to believe that nothing waits for it. */
  readFailed(error: unknown): void {
    this.#engine.reportStoreError(error)
    this.#sender?.giveUp('the messages that wait for this client cannot be read')
  }

  /** As `pump`, if something may have become possible since. */
  pumpIfNeeded(): void {
    if (!this.#needsPump) return
    this.#needsPump = false
    this.pump()
  }

  /** PUBACK, or a failing PUBREC ([5.0 MQTT-4.4.0-2]). */
  acknowledged(packetIdentifier: number, qos: 1 | 2, reasonCode: ReasonCode): boolean {
    const delivery = this.inflight.acknowledge(packetIdentifier, qos)
    if (delivery === undefined) return false
    if (reasonCode >= ReasonCode.UnspecifiedError) {
      this.#drop('refused-by-client', delivery.message, reasonCodeName(reasonCode))
    }
    this.#finish(delivery)
    return true
  }

  /** A successful PUBREC: the client has the message. False: the identifier is not in use. */
  receivedByClient(packetIdentifier: number): boolean {
    const delivery = this.inflight.receive(packetIdentifier)
    if (delivery === undefined) return this.inflight.isReleased(packetIdentifier)
    this.#finish(delivery)
    return true
  }

  /** PUBCOMP. */
  completed(packetIdentifier: number): boolean {
    const wasReleased = this.inflight.complete(packetIdentifier)
    if (wasReleased) {
      this.#needsPump = true
      this.touch()
    }
    return wasReleased
  }

  /** Keeps a QoS 2 message of the client until its PUBREL. */
  receive(packetIdentifier: number, message: Message): void {
    this.#received ??= new IdentifierTable()
    this.#received.put(packetIdentifier, message)
    this.receivedBytes += message.byteLength
  }

  /** Whether a QoS 2 message with this identifier waits for its PUBREL. */
  hasReceived(packetIdentifier: number): boolean {
    return this.#received?.get(packetIdentifier) !== undefined
  }

  /** The message that a PUBREL releases; undefined: the identifier is not known. */
  release(packetIdentifier: number): Message | undefined {
    const message = this.#received?.get(packetIdentifier)
    if (message === undefined) return undefined
    this.#received?.delete(packetIdentifier)
    this.receivedBytes -= message.byteLength
    return message
  }

  /** Its own consumer's part of `DeliverySource`. */
  finish(sequence: SequenceNumber): void {
    this.#consumer?.finish(sequence)
    this.#engine.elisions.finished(sequence)
  }

  /** The rest of `DeliverySource`. */
  holds(sequence: SequenceNumber): boolean {
    return this.#consumer?.holds(sequence) ?? false
  }

  /**
   * A queue was left or cut: what is in flight and cannot be read back from it any longer is kept by itself.
   * @param left the group that it has left, whose queue may be gone after a restart
   */
  keepInflight(left?: SharedSubscription): void {
    if (this.inflight.keepMessages(left)) this.touch()
  }

  /** Has the progress of a durable session written with the commit being gathered. */
  touch(): void {
    if (this.#consumer !== undefined) this.#engine.store.touch(this.#consumer)
  }

  toRecord(): SessionRecord {
    return {
      clientId: this.clientId,
      sessionExpiryIntervalSeconds: this.expiryIntervalSeconds,
      disconnectedAtMs: this.disconnectedAtMs,
      listener: this.#consumer?.listener ?? ''
    }
  }

  /** Counts what had not been delivered when the session ends. */
  recordUndelivered(fate: Fate): void {
    // What groups took back is in flight no longer; what a group has left behind that ended is the session's.
    for (const delivery of this.inflight.unacknowledged) this.#drop(fate, delivery.message)
    for (let waiting = this.#queue?.shift(); waiting !== undefined; waiting = this.#queue?.shift()) {
      this.#drop(fate, waiting.message)
    }
    for (const message of this.#received?.values() ?? []) this.#drop('never-released', message)
    this.#subscriptions?.endAllLeaving(fate)
  }

  #sent(sequence: SequenceNumber): void {
    this.#consumer?.sent(sequence)
    this.#engine.elisions.taken()
  }

  #presenceChanged(): void {
    if (!this.isDurable) return
    for (const subscription of this.#subscriptions?.values() ?? []) this.#engine.tree.presenceChanged(subscription)
  }

  #isCaughtUp(): boolean {
    return this.#consumer?.caughtUp ?? (this.#queue === undefined || this.#queue.length === 0)
  }

  #newQueue(): TransientQueue {
    const { limits, transientQueues, fates } = this.#engine
    return new TransientQueue(limits.transientQueuedMessagesMax, transientQueues, fates, this.clientId)
  }

  #deliveryOf(message: Message, qos: 1 | 2, retain: boolean, target: Target, sequence: SequenceNumber): Delivery {
    const source = this.#consumer === undefined ? undefined : this
    return new Delivery(message, qos, retain, target.subscriptionIdentifiers, sequence, source)
  }

  #transmit(sender: PacketSender, delivery: Delivery): void {
    if (this.isDurable && delivery.qos === 2 && !delivery.wasSent) {
      // Its identifier must be on record first: after a crash it must neither be sent twice nor stand for another message.
      this.touch()
      sender.sendAfterCommit(delivery)
    } else {
      sender.sendDelivery(delivery)
    }
  }

  #finish(delivery: Delivery): void {
    delivery.source?.finish(delivery.sequence)
    this.#needsPump = true
    this.touch()
  }

  #giveUp(delivery: Delivery, fate: Fate): void {
    this.inflight.withdraw(delivery)
    this.#drop(fate, delivery.message)
    this.#finish(delivery)
  }

  #drainQueue(): void {
    const queue = this.#queue
    if (queue === undefined) return
    for (let next = queue.peek(); next !== undefined && this.canSend; next = queue.peek()) {
      queue.shift()
      if (next.message.isExpired(this.#engine.clock.now())) this.#drop('expired', next.message)
      else this.send(next)
    }
  }

  /** A part of what waits for a subscription has been given up. */
  #putSubscription(topicFilter: string): void {
    const subscription = this.#subscriptions?.get(topicFilter)
    if (subscription !== undefined) this.#engine.store.putSubscription(this.clientId, subscription.toRecord())
  }

  #drop(fate: Fate, message: StoredMessage, reason?: string): void {
    this.#engine.fates.record(fate, message, this.clientId, reason)
  }
}
