import type { InflightRecord, SequenceNumber } from '@godwit/storage'
import { IdentifierTable } from './identifier-table.ts'
import type { Message } from './message.ts'
import { freeIdentifiers, type IdentifiersInUse, PacketIdentifiers } from './packet-identifiers.ts'

/** Whoever had a message sent, to be told when the client has finished with it. */
export interface DeliverySource {
  /** The client has acknowledged the message, refused it, or will never get it. */
  finish(sequence: SequenceNumber): void
  /** `$share/NAME/FILTER` where it is a group; undefined: the session itself. */
  readonly group: string | undefined
  /** Whether the message can be read back from a queue of the log after a restart. */
  holds(sequence: SequenceNumber): boolean
}

/** Where a durable session keeps the messages in flight that cannot be read back after a restart. */
export interface InflightMessages {
  put(packetIdentifier: number, message: Message): void
  delete(packetIdentifier: number): void
}

/** One message on its way to one client at QoS 1 or 2. */
export class Delivery {
  readonly message: Message
  readonly qos: 1 | 2
  readonly retain: boolean
  /** Those of the subscriptions that matched ([5.0 MQTT-3.3.4-3]). */
  readonly subscriptionIdentifiers: readonly number[]
  /** Where it stands in the log; 0: it is not from there. */
  readonly sequence: SequenceNumber
  readonly source: DeliverySource | undefined
  /** 0 until it is in flight. */
  packetIdentifier = 0
  /** The connection, as `Inflight` counts them, whose quota it takes up. */
  countedOn = 0
  /** Whether it has been written to a network connection before, so that DUP is set the next time. */
  wasSent = false
  /** Whether it is among the `InflightMessages`. */
  isKept = false

  constructor(
    message: Message,
    qos: 1 | 2,
    retain: boolean,
    subscriptionIdentifiers: readonly number[],
    sequence: SequenceNumber,
    source: DeliverySource | undefined
  ) {
    this.message = message
    this.qos = qos
    this.retain = retain
    this.subscriptionIdentifiers = subscriptionIdentifiers
    this.sequence = sequence
    this.source = source
  }
}

/** A QoS 2 exchange of which only PUBREL and PUBCOMP are left. */
interface ReleasedExchange {
  /** The connection that it was counted on. */
  readonly countedOn: number
}

/**
 * A session's outgoing QoS 1 and 2 exchanges: what has been sent and is not finished, and how much more may be sent.
 *
 * ```
 *   QoS 1   add ─▷ unacknowledged ─ PUBACK ─▷ gone
 *   QoS 2   add ─▷ unacknowledged ─ PUBREC ─▷ released ─ PUBCOMP ─▷ gone
 * ```
 * It outlives connections. On a new one everything unfinished is sent again in the original order, and only then
 * anything new ([5.0 MQTT-4.4.0-1], [3.1.1 MQTT-4.4.0-1]).
 */
export class Inflight implements IdentifiersInUse {
  // Made when the first message comes: most clients of a large fleet are sent nothing for a long time.
  /** In the order of sending. */
  #unacknowledged: IdentifierTable<Delivery> | undefined = undefined
  /** In the order of the PUBRECs. */
  #released: IdentifierTable<ReleasedExchange> | undefined = undefined
  readonly #identifiers = new PacketIdentifiers()
  #sendQuota = 0
  /** Which connection it is, counted: the end of an exchange raises the quota of the connection that it was counted on. */
  #connection = 0
  /** What remains to be sent again on this connection. */
  #toResend: Delivery[] = []
  readonly #messages: InflightMessages | undefined

  /** @param messages undefined: nothing outlives a restart */
  constructor(messages?: InflightMessages) {
    this.#messages = messages
  }

  get size(): number {
    return (this.#unacknowledged?.size ?? 0) + (this.#released?.size ?? 0)
  }

  /** Whether a packet identifier is in use. */
  has(packetIdentifier: number): boolean {
    return this.#unacknowledged?.get(packetIdentifier) !== undefined || this.isReleased(packetIdentifier)
  }

  /** Whether a new message may be sent: there is quota and an identifier, and what is to be sent again has been. */
  get hasRoom(): boolean {
    return this.#sendQuota > 0 && this.#toResend.length === 0 && freeIdentifiers(this) > 0
  }

  /** How many new messages may be sent. */
  get room(): number {
    return this.#toResend.length === 0 ? Math.min(this.#sendQuota, freeIdentifiers(this)) : 0
  }

  get unacknowledged(): Iterable<Delivery> {
    return this.#unacknowledged?.values() ?? []
  }

  get released(): Iterable<number> {
    return this.#released?.keys() ?? []
  }

  /** Begins on a new connection, whose client takes `receiveMaximum` messages at a time ([5.0 MQTT-4.9.0-1]). */
  open(receiveMaximum: number): void {
    this.#sendQuota = receiveMaximum
    this.#connection++
    this.#toResend = [...this.unacknowledged].reverse()
  }

  /** The next message to send again, as far as the quota allows. */
  nextToResend(): Delivery | undefined {
    if (this.#sendQuota <= 0) return undefined
    for (let delivery = this.#toResend.pop(); delivery !== undefined; delivery = this.#toResend.pop()) {
      if (!this.contains(delivery)) continue
      this.#spendQuota(delivery)
      return delivery
    }
    return undefined
  }

  /** Takes a new message into flight under the next identifier; only with `hasRoom`. */
  add(delivery: Delivery): void {
    delivery.packetIdentifier = this.#identifiers.next(this)
    this.#put(delivery)
    this.#keep(delivery)
    this.#spendQuota(delivery)
  }

  /**
   * Keeps the messages that cannot be read back any longer. Returns whether there were any.
   * @param left whoever had its messages sent, and may be gone after a restart
   */
  keepMessages(left?: DeliverySource): boolean {
    let hasKept = false
    for (const delivery of this.unacknowledged) hasKept = this.#keep(delivery, left) || hasKept
    return hasKept
  }

  /** Puts back what a stored session had in flight, in the order of sending. */
  restore(delivery: Delivery, packetIdentifier: number, isKept: boolean): void {
    delivery.packetIdentifier = packetIdentifier
    delivery.wasSent = true
    delivery.isKept = isKept
    this.#put(delivery)
    this.#identifiers.continueAfter(packetIdentifier)
  }

  restoreReleased(packetIdentifier: number): void {
    this.#putReleased(packetIdentifier, 0)
    this.#identifiers.continueAfter(packetIdentifier)
  }

  /** PUBACK, or a PUBREC of 0x80 and above: the exchange ends ([5.0 MQTT-4.4.0-2]). */
  acknowledge(packetIdentifier: number, qos: 1 | 2): Delivery | undefined {
    const delivery = this.#unacknowledged?.get(packetIdentifier)
    if (delivery === undefined || delivery.qos !== qos) return undefined
    this.#remove(delivery)
    this.#raiseQuota(delivery.countedOn)
    return delivery
  }

  /** PUBREC: from here on only PUBREL is sent ([5.0 MQTT-4.3.3-6]); the quota is not raised before PUBCOMP. */
  receive(packetIdentifier: number): Delivery | undefined {
    const delivery = this.#unacknowledged?.get(packetIdentifier)
    if (delivery === undefined || delivery.qos !== 2) return undefined
    this.#remove(delivery)
    this.#putReleased(packetIdentifier, delivery.countedOn)
    return delivery
  }

  contains(delivery: Delivery): boolean {
    return this.#unacknowledged?.get(delivery.packetIdentifier) === delivery
  }

  /**
   * A message that waited for the store goes out now, perhaps behind later ones: what is sent again keeps the order of
   * the first sending ([3.1.1 MQTT-4.6.0-6]). False: it is no longer in flight.
   */
  sendsLate(delivery: Delivery): boolean {
    if (!this.contains(delivery)) return false
    this.#put(delivery)
    return true
  }

  isReleased(packetIdentifier: number): boolean {
    return this.#released?.get(packetIdentifier) !== undefined
  }

  /** PUBCOMP. */
  complete(packetIdentifier: number): boolean {
    const exchange = this.#released?.get(packetIdentifier)
    if (exchange === undefined) return false
    this.#released?.delete(packetIdentifier)
    this.#raiseQuota(exchange.countedOn)
    return true
  }

  /** Takes a message out of flight that is not to be sent any more: a member left it to its group, or it cannot be sent. */
  withdraw(delivery: Delivery): void {
    if (!this.contains(delivery)) return
    this.#remove(delivery)
    this.#raiseQuota(delivery.countedOn)
  }

  toRecords(): { readonly inflight: readonly InflightRecord[]; readonly released: readonly number[] } {
    const inflight: InflightRecord[] = []
    const late: InflightRecord[] = []
    // Those that wait for their commit go out after it, and so behind what has gone out already.
    for (const delivery of this.unacknowledged) (delivery.wasSent ? inflight : late).push(toRecord(delivery))
    for (const record of late) inflight.push(record)
    return { inflight, released: [...this.released] }
  }

  #keep(delivery: Delivery, left?: DeliverySource): boolean {
    if (this.#messages === undefined || delivery.isKept) return false
    if (delivery.source !== left && delivery.source?.holds(delivery.sequence) === true) return false
    delivery.isKept = true
    this.#messages.put(delivery.packetIdentifier, delivery.message)
    return true
  }

  #put(delivery: Delivery): void {
    this.#unacknowledged ??= new IdentifierTable()
    this.#unacknowledged.put(delivery.packetIdentifier, delivery)
  }

  #putReleased(packetIdentifier: number, countedOn: number): void {
    this.#released ??= new IdentifierTable()
    this.#released.put(packetIdentifier, { countedOn })
  }

  #remove(delivery: Delivery): void {
    this.#unacknowledged?.delete(delivery.packetIdentifier)
    if (!delivery.isKept) return
    delivery.isKept = false
    this.#messages?.delete(delivery.packetIdentifier)
  }

  #spendQuota(delivery: Delivery): void {
    delivery.countedOn = this.#connection
    this.#sendQuota--
  }

  #raiseQuota(countedOn: number): void {
    if (countedOn === this.#connection) this.#sendQuota++
  }
}

function toRecord(delivery: Delivery): InflightRecord {
  return {
    packetIdentifier: delivery.packetIdentifier,
    sequence: delivery.sequence,
    qos: delivery.qos,
    retain: delivery.retain,
    subscriptionIdentifiers: delivery.subscriptionIdentifiers,
    group: delivery.source?.group
  }
}
