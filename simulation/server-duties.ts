import type { SubackPacket, SubscriptionRequest, UnsubackPacket } from '@godwit/protocol'
import type { Asked } from './model.ts'
import type { ModelSubscription } from './model-session.ts'
import { Violation } from './violation.ts'

interface Requested {
  readonly asked: Asked
  readonly requests: readonly SubscriptionRequest[]
}

/** What the server has to answer on one network connection: once each, and acknowledgements in the order of what they answer. */
export class ServerDuties {
  readonly #clientId: string
  readonly #receiveMaximum: number
  /** Packet identifiers of PUBLISH at QoS 1 and at QoS 2, and of PUBREL. */
  readonly #expected: Readonly<Record<'PUBACK' | 'PUBREC' | 'PUBCOMP', number[]>> = { PUBACK: [], PUBREC: [], PUBCOMP: [] }
  readonly #subscribed = new Map<number, Requested>()
  readonly #unsubscribed = new Map<number, readonly ModelSubscription[]>()
  /** Of messages that have come and whose exchange is not finished. */
  readonly #taken = new Set<number>()
  #pings = 0

  constructor(clientId: string, receiveMaximum: number) {
    this.#clientId = clientId
    this.#receiveMaximum = receiveMaximum
  }

  /** Whether a SUBSCRIBE or UNSUBSCRIBE that is not answered has this identifier. */
  uses(packetIdentifier: number): boolean {
    return this.#subscribed.has(packetIdentifier) || this.#unsubscribed.has(packetIdentifier)
  }

  owes(answer: 'PUBACK' | 'PUBREC' | 'PUBCOMP', packetIdentifier: number): void {
    this.#expected[answer].push(packetIdentifier)
  }

  /** An acknowledgement has come ([5.0 MQTT-4.6.0-2] to [5.0 MQTT-4.6.0-4]). */
  answers(answer: 'PUBACK' | 'PUBREC' | 'PUBCOMP', packetIdentifier: number): void {
    const next = this.#expected[answer].shift()
    if (next !== packetIdentifier) {
      throw new Violation(`${this.#clientId} got ${answer} ${packetIdentifier} where ${next ?? 'none'} was next`)
    }
  }

  subscribes(packetIdentifier: number, requested: Requested): void {
    this.#subscribed.set(packetIdentifier, requested)
  }

  /** @returns what is granted; undefined if any of it is refused */
  suback({ packetIdentifier, reasonCodes }: SubackPacket): Asked | undefined {
    const requested = this.#subscribed.get(packetIdentifier)
    if (requested === undefined) throw this.#unasked('SUBACK')
    this.#subscribed.delete(packetIdentifier)
    if (reasonCodes.some((reasonCode) => reasonCode >= 0x80)) return undefined
    if (requested.requests.some(({ qos }, index) => reasonCodes[index] !== qos)) {
      throw new Violation(`${this.#clientId} was granted ${reasonCodes.join(', ')}`)
    }
    return requested.asked
  }

  unsubscribes(packetIdentifier: number, ending: readonly ModelSubscription[]): void {
    this.#unsubscribed.set(packetIdentifier, ending)
  }

  /** @returns the subscriptions that have ended */
  unsuback({ packetIdentifier }: UnsubackPacket): readonly ModelSubscription[] {
    const ending = this.#unsubscribed.get(packetIdentifier)
    if (ending === undefined) throw this.#unasked('UNSUBACK')
    this.#unsubscribed.delete(packetIdentifier)
    return ending
  }

  pings(): void {
    this.#pings++
  }

  pingresp(): void {
    if (this.#pings-- <= 0) throw this.#unasked('PINGRESP')
  }

  /** A message of QoS 1 or 2 has come ([5.0 MQTT-3.3.4-9]). */
  takes(packetIdentifier: number): void {
    this.#taken.add(packetIdentifier)
    if (this.#taken.size > this.#receiveMaximum) {
      throw new Violation(
        `${this.#clientId} got ${this.#taken.size} messages at once, and its Receive Maximum is ${this.#receiveMaximum}`
      )
    }
  }

  /** PUBACK or PUBCOMP is written. */
  finishes(packetIdentifier: number): void {
    this.#taken.delete(packetIdentifier)
  }

  #unasked(answer: string): Violation {
    return new Violation(`${this.#clientId} got ${answer}, for which it had not asked`)
  }
}
