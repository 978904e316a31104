import type { QoS } from '@godwit/protocol'
import { topicMatches } from '@godwit/protocol'

/** What a topic's messages, sent at this moment, are to a receiver. */
type Claim = 'entitled' | 'perhaps' | 'none'

/** Whether the broker has acknowledged a subscription, or its removal, or neither yet. */
export type SubscriptionState = 'acknowledged' | 'unsure' | 'removed'

interface HeldSubscription {
  readonly topicFilter: string
  readonly qos: QoS
  state: SubscriptionState
}

interface Sent {
  readonly topicName: string
  readonly qos: 1 | 2
  /** A message that the broker need not publish, until it has acknowledged that it will; or never may. */
  state: 'sent' | 'acknowledged' | 'forbidden'
}

const FAILURES_MAX = 50

/**
 * What publishers have sent and the broker has acknowledged, and who has received it: the books that must balance when
 * the broker has been killed often enough.
 */
export class Ledger {
  readonly #sent: Sent[] = []
  readonly #receivers: Receiver[] = []
  readonly #failures: string[] = []
  #failureCount = 0
  #repeats = true

  /** A durable session, or the group of a shared subscription whose members' messages count together. */
  receiver(name: string, inOrder: boolean): Receiver {
    const receiver = new Receiver(this, name, inOrder)
    this.#receivers.push(receiver)
    return receiver
  }

  /** A message is about to be sent; its number is to be its payload, and no other publisher uses its topic. */
  send(topicName: string, qos: 1 | 2): number {
    const number = this.#sent.length
    this.#sent.push({ topicName, qos, state: 'sent' })
    for (const receiver of this.#receivers) receiver.sent(topicName)
    return number
  }

  /** The broker has taken the message on itself. */
  acknowledge(number: number): void {
    this.#message(number).state = 'acknowledged'
  }

  /** The broker must not publish it: a will whose client came back in time. */
  forbid(number: number): void {
    this.#message(number).state = 'forbidden'
  }

  sentMessage(number: number): Readonly<Sent> | undefined {
    return this.#sent[number]
  }

  get sentCount(): number {
    return this.#sent.length
  }

  /** Deliveries of all receivers, repeated ones included. */
  get deliveries(): number {
    return this.#receivers.reduce((sum, { deliveries }) => sum + deliveries, 0)
  }

  /** From here on a message that a receiver has already must not come to it again. */
  expectNoRepetition(): void {
    this.#repeats = false
  }

  get repeats(): boolean {
    return this.#repeats
  }

  /** What some receiver is entitled to and has not received, in words, at most a few of each. */
  missing(): string[] {
    return this.#receivers.flatMap((receiver) => receiver.missing())
  }

  isMissing(number: number): boolean {
    return this.#receivers.some((receiver) => receiver.isMissing(number))
  }

  fail(what: string): void {
    this.#failureCount++
    if (this.#failures.length < FAILURES_MAX) this.#failures.push(what)
  }

  /** Everything that went wrong so far, in words. */
  get failures(): readonly string[] {
    const more = this.#failureCount - this.#failures.length
    return more === 0 ? this.#failures : [...this.#failures, `and ${more} more`]
  }

  #message(number: number): Sent {
    const sent = this.#sent[number]
    if (sent === undefined) throw new RangeError(`message ${number} was never sent`)
    return sent
  }
}

const MISSING_NAMED_MAX = 5

export class Receiver {
  readonly name: string
  readonly #ledger: Ledger
  readonly #inOrder: boolean
  readonly #subscriptions = new Map<string, HeldSubscription>()
  /** By message: what it is to this receiver, at which QoS, and how often it has come. */
  readonly #claims: Claim[] = []
  readonly #granted: QoS[] = []
  readonly #counts: number[] = []
  /** By topic: the latest message that came for the first time. */
  readonly #latest = new Map<string, number>()
  #deliveries = 0
  /** Every message before this one has come, or need not. */
  #completeBefore = 0

  constructor(ledger: Ledger, name: string, inOrder: boolean) {
    this.#ledger = ledger
    this.name = name
    this.#inOrder = inOrder
  }

  get deliveries(): number {
    return this.#deliveries
  }

  subscribes(topicFilter: string, qos: QoS, state: SubscriptionState): void {
    this.#subscriptions.set(topicFilter, { topicFilter, qos, state })
  }

  stateOf(topicFilter: string): SubscriptionState {
    return this.#subscriptions.get(topicFilter)?.state ?? 'removed'
  }

  /** A message to a topic is being sent: what it is to this receiver is settled now. */
  sent(topicName: string): void {
    let claim: Claim = 'none'
    let qos: QoS = 0
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.state === 'removed' || !topicMatches(subscription.topicFilter, topicName)) continue
      if (subscription.qos > qos) qos = subscription.qos
      if (subscription.state === 'acknowledged') claim = 'entitled'
      else if (claim === 'none') claim = 'perhaps'
    }
    this.#claims.push(claim)
    this.#granted.push(qos)
    this.#counts.push(0)
  }

  /** A message has come for the application: at QoS 2 that is its first PUBLISH, not those that repeat it. */
  delivered(number: number, topicName: string, qos: QoS): void {
    const sent = this.#ledger.sentMessage(number)
    const claim = this.#claims[number]
    if (sent === undefined || claim === undefined || sent.topicName !== topicName) {
      this.#ledger.fail(`${this.name} received message ${number} on ${topicName}, which nobody sent there`)
      return
    }
    this.#deliveries++
    const count = (this.#counts[number] ?? 0) + 1
    this.#counts[number] = count
    const what = `message ${number} on ${topicName}`
    if (claim === 'none') this.#ledger.fail(`${this.name} received ${what}, to which it had not subscribed`)
    if (sent.state === 'forbidden') this.#ledger.fail(`${this.name} received ${what}, which was not to be published`)
    const agreed = Math.min(sent.qos, this.#granted[number] ?? 0)
    if (qos !== agreed) this.#ledger.fail(`${this.name} received ${what} at QoS ${qos} instead of ${agreed}`)
    if (count > 1) {
      if (agreed === 2) this.#ledger.fail(`${this.name} received ${what}, of QoS 2, ${count} times`)
      else if (!this.#ledger.repeats) this.#ledger.fail(`${this.name} received ${what} again after an orderly end`)
      return
    }
    const latest = this.#latest.get(topicName) ?? -1
    if (this.#inOrder && number < latest) this.#ledger.fail(`${this.name} received ${what} after message ${latest}`)
    this.#latest.set(topicName, Math.max(number, latest))
  }

  isMissing(number: number): boolean {
    return this.#claims[number] === 'entitled' && this.#counts[number] === 0
  }

  missing(): string[] {
    const missing: number[] = []
    let isComplete = true
    for (let number = this.#completeBefore; number < this.#claims.length; number++) {
      const isOpen = this.isMissing(number)
      const state = this.#ledger.sentMessage(number)?.state
      if (isOpen && state === 'acknowledged') missing.push(number)
      if (isOpen && state !== 'forbidden') isComplete = false
      if (isComplete) this.#completeBefore = number + 1
    }
    if (missing.length === 0) return []
    const named = missing.slice(0, MISSING_NAMED_MAX).map((number) => {
      const sent = this.#ledger.sentMessage(number)
      return `${number} (${sent?.topicName}, QoS ${sent?.qos})`
    })
    return [`${this.name} never received ${missing.length} acknowledged messages: ${named.join(', ')}`]
  }
}
