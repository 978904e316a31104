import { type Packet, ProtocolVersion } from '@godwit/protocol'
import type { WillOptions } from '@godwit/testkit'
import { DurableClient, type DurableClientOptions } from './durable-client.ts'
import type { Stage } from './stage.ts'

export interface MortalOptions extends DurableClientOptions {
  /** A topic that only its wills use. */
  readonly topicName: string
  readonly qos: 1 | 2
  readonly willDelaySeconds: number
}

/**
 * A client with a will for each connection. Where that has no delay, it must be published once the connection is cut,
 * even if the client is back at once. Where it has one, the client either stays away until it has been published, or, with
 * a delay that never passes here, always comes back in time, and it must not be.
 */
export class Mortal extends DurableClient {
  readonly #options: MortalOptions
  /** The will of the connection that was opened last. */
  #will = 0
  #isArmed = false
  /** A delayed will that is to be published before the client comes back. */
  #due: number | undefined

  constructor(stage: Stage, options: MortalOptions) {
    super(stage, options)
    this.#options = options
  }

  /** Whether it should stay away for now. */
  get isAway(): boolean {
    return this.#due !== undefined && this.stage.ledger.isMissing(this.#due)
  }

  /** Leaves for good, with DISCONNECT: whether its last will is still published nobody can know who is not told. */
  override leave(): void {
    this.#isArmed = false
    super.leave()
  }

  protected override nextWill(): WillOptions {
    const { topicName, qos, willDelaySeconds, version } = this.#options
    const { ledger } = this.stage
    this.#will = ledger.send(topicName, qos)
    this.#isArmed = false
    if (this.#isNeverDue) ledger.forbid(this.#will)
    const payload = String(this.#will)
    return version === ProtocolVersion.Mqtt5 ? { topicName, payload, qos, willDelaySeconds } : { topicName, payload, qos }
  }

  /** CONNACK: from now on the broker has the will. */
  protected accepted(): void {
    this.#isArmed = true
  }

  protected override gone(): void {
    if (!this.#isArmed) return
    this.#isArmed = false
    if (this.#isNeverDue) return
    this.stage.ledger.acknowledge(this.#will)
    if (this.#options.willDelaySeconds > 0) this.#due = this.#will
  }

  protected handle(packet: Packet): void {
    this.failUnexpected(packet)
  }

  /** Longer than any run. */
  get #isNeverDue(): boolean {
    return this.#options.willDelaySeconds >= 3600
  }
}
