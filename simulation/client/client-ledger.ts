import { Violation } from '../violation.ts'

export type Quality = 1 | 2

interface Sent {
  readonly stream: string
  readonly number: number
  readonly qos: Quality
  /** It was stored or acknowledged: it has to arrive. */
  isOwed: boolean
  isArrived: boolean
}

/** What devices have published, and what came of it. */
export class ClientLedger {
  readonly #sent = new Map<string, Sent>()
  readonly #numbers = new Map<string, number>()
  /** By stream: the number of the message that arrived last for the first time. */
  readonly #arrived = new Map<string, number>()
  /** What a subscriber has taken since everything was last at rest: its answers may be lost if it dies. */
  readonly #unsettled = new Map<string, Set<string>>()
  /** What may come once more to a subscriber that died. */
  readonly #repeatable = new Map<string, Set<string>>()
  /** By subscriber and message: how often it came. */
  readonly #times = new Map<string, number>()

  /** How many messages had to arrive. */
  get owed(): number {
    return [...this.#sent.values()].filter(({ isOwed }) => isOwed).length
  }

  /** A device publishes: gives the payload. */
  publishes(device: string, topic: string, qos: Quality): string {
    const stream = `${device} ${topic} ${qos}`
    const number = (this.#numbers.get(stream) ?? 0) + 1
    this.#numbers.set(stream, number)
    const payload = `${stream} ${number}`
    this.#sent.set(payload, { stream, number, qos, isOwed: false, isArrived: false })
    return payload
  }

  owes(payload: string): void {
    const sent = this.#sent.get(payload)
    if (sent !== undefined) sent.isOwed = true
  }

  /** A subscriber gets a message. Returns what is wrong with that. */
  arrives(subscriber: string, payload: string): Violation | undefined {
    const sent = this.#sent.get(payload)
    if (sent === undefined) return new Violation(`${subscriber} got ${payload}, which nobody published`)
    const key = `${subscriber}: ${payload}`
    const times = (this.#times.get(key) ?? 0) + 1
    this.#times.set(key, times)
    sent.isArrived = true
    this.#unsettledOf(subscriber).add(payload)
    const mayRepeat = this.#repeatable.get(subscriber)?.delete(payload) ?? false
    if (times === 1) return this.#orderViolation(subscriber, sent, payload)
    return sent.qos === 1 || mayRepeat ? undefined : new Violation(`${subscriber} got ${payload} of QoS 2 ${times} times`)
  }

  /**
   * A subscriber dies: what it took last may not be known to the server, or its disk.
   *
   * @param recorded messages that its disk has recorded as taken
   */
  dies(subscriber: string, recorded: readonly string[]): void {
    const repeatable = this.#repeatable.get(subscriber) ?? new Set()
    for (const payload of this.#unsettledOf(subscriber)) repeatable.add(payload)
    for (const payload of recorded) repeatable.delete(payload)
    this.#repeatable.set(subscriber, repeatable)
    this.#unsettled.delete(subscriber)
  }

  /** Everything that is under way has come to its end. */
  rests(): void {
    this.#unsettled.clear()
    this.#repeatable.clear()
  }

  /** Everything that is owed has arrived. */
  check(): void {
    for (const [payload, { isOwed, isArrived }] of this.#sent) {
      if (isOwed && !isArrived) throw new Violation(`${payload} was stored and never arrived`)
    }
  }

  #orderViolation(subscriber: string, { stream, number }: Sent, payload: string): Violation | undefined {
    const key = `${subscriber}: ${stream}`
    const last = this.#arrived.get(key) ?? 0
    if (number < last) return new Violation(`${subscriber} got ${payload} for the first time after number ${last}`)
    this.#arrived.set(key, number)
    return undefined
  }

  #unsettledOf(subscriber: string): Set<string> {
    const unsettled = this.#unsettled.get(subscriber) ?? new Set()
    this.#unsettled.set(subscriber, unsettled)
    return unsettled
  }
}
