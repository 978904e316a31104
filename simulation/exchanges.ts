import type { PublishPacket } from '@godwit/protocol'
import type { PublishedMessage } from './published-message.ts'
import { Violation } from './violation.ts'

/** A QoS 1 or 2 message of the client, from PUBLISH to the end of the exchange. */
export interface Outgoing {
  readonly packetIdentifier: number
  readonly message: PublishedMessage
  /** PUBREC has come: from here on only PUBREL is sent. */
  isReceived: boolean
}

interface Incoming {
  readonly id: string
  readonly qos: 1 | 2
  readonly isShared: boolean
  /** The connection that it last came by. */
  connection: number
  /** How often the broker had crashed by then. */
  crashes: number
  /** PUBACK or PUBREC has been written. */
  isAnswered: boolean
  /** PUBREL has come. */
  isReleased: boolean
}

/** What a client's session is, on the client's side: the exchanges of QoS 1 and 2 that are not finished. */
export class Exchanges {
  readonly #clientId: string
  /** In the order of the first sending. */
  readonly outgoing: Map<number, Outgoing> = new Map()
  readonly #incoming = new Map<number, Incoming>()
  #lastIdentifier = 0
  #connection = 0
  /** How often the broker has crashed. */
  readonly #crashes: () => number

  constructor(clientId: string, crashes: () => number) {
    this.#clientId = clientId
    this.#crashes = crashes
  }

  /** A new network connection; without its session, everything is forgotten. @returns what will not be finished */
  begin(goesOn: boolean): PublishedMessage[] {
    this.#connection++
    if (goesOn) return []
    const givenUp = Array.from(this.outgoing.values(), ({ message }) => message)
    this.outgoing.clear()
    this.#incoming.clear()
    return givenUp
  }

  /** An identifier that the client does not use. */
  freeIdentifier(isTaken: (packetIdentifier: number) => boolean): number {
    do this.#lastIdentifier = (this.#lastIdentifier % 0xffff) + 1
    while (this.outgoing.has(this.#lastIdentifier) || isTaken(this.#lastIdentifier))
    return this.#lastIdentifier
  }

  /**
   * A PUBLISH of QoS 1 or 2 has come.
   *
   * @param isShared whether it is for a group, which may have taken back what this client did not acknowledge
   * @returns whether the client takes it for a new message
   */
  arrives(id: string, { packetIdentifier, qos, dup }: PublishPacket, isShared: boolean): boolean {
    if (qos === 0) return true
    const known = this.#incoming.get(packetIdentifier)
    const what = `${this.#clientId} got "${id}" under packet identifier ${packetIdentifier}`
    const isSame = known?.id === id && known.qos === qos
    if (known !== undefined) {
      const before = `which is in use for "${known.id}"`
      if (known.isReleased) throw new Violation(`${what}, ${before}, whose PUBCOMP has not been sent`)
      if (known.connection === this.#connection && !(known.qos === 1 && known.isAnswered)) {
        throw new Violation(`${what}, ${before} on this connection`)
      }
      if (!isSame && known.qos === 2) throw new Violation(`${what}, ${before}, whose PUBREL has not come`)
      if (isSame && !dup && known.qos === 2) throw new Violation(`${what} again without DUP`)
      // QoS 1 leaves nothing behind on the client's side: a broker that crashed may know no more of the identifier.
      const hasCrashed = this.#crashes() > known.crashes
      if (!isSame && !known.isAnswered && !known.isShared && !hasCrashed) throw new Violation(`${what}, ${before}`)
    }
    if (known !== undefined && isSame && qos === 2) {
      known.connection = this.#connection
      known.isAnswered = false
      return false
    }
    this.#incoming.set(packetIdentifier, {
      id,
      qos,
      connection: this.#connection,
      crashes: this.#crashes(),
      isShared,
      isAnswered: false,
      isReleased: false
    })
    return true
  }

  /** PUBACK or PUBREC is written. */
  answered(packetIdentifier: number): void {
    const known = this.#incoming.get(packetIdentifier)
    if (known !== undefined) known.isAnswered = true
  }

  /** PUBREL has come. */
  released(packetIdentifier: number): void {
    const known = this.#incoming.get(packetIdentifier)
    if (known === undefined || known.qos !== 2) return
    if (!known.isAnswered) {
      throw new Violation(`${this.#clientId} got PUBREL for "${known.id}", for which it has not sent PUBREC`)
    }
    known.isReleased = true
  }

  /** PUBCOMP is written. */
  completed(packetIdentifier: number): void {
    const known = this.#incoming.get(packetIdentifier)
    if (known?.isReleased === true) this.#incoming.delete(packetIdentifier)
  }
}
