import { NO_PROPERTIES } from '@godwit/protocol'
import { Delivery, Inflight } from '../../packages/broker/src/inflight.ts'
import { Message } from '../../packages/broker/src/message.ts'
import type { Measurement } from './measurement.ts'

const OPERATIONS = 500_000
const SESSIONS = 50
const CONTENT = {
  topicName: 'sensors/1/state',
  payload: new Uint8Array(64),
  qos: 2,
  retain: false,
  properties: NO_PROPERTIES
} as const

/** Sessions that have so many exchanges open, the oldest of which ends when another begins. */
class Sessions {
  readonly #qos: 1 | 2
  readonly #inflights: readonly Inflight[]
  /** The packet identifiers of each session, oldest first from `#position` on. */
  readonly #open: readonly number[][]
  #position = 0

  constructor(qos: 1 | 2, open: number) {
    this.#qos = qos
    this.#inflights = Array.from({ length: SESSIONS }, () => {
      const inflight = new Inflight()
      inflight.open(65_535)
      return inflight
    })
    this.#open = this.#inflights.map((inflight) => Array.from({ length: open }, () => this.#begin(inflight)))
  }

  /** One exchange in each session. */
  step(): void {
    let length = 0
    for (const [session, inflight] of this.#inflights.entries()) {
      const open = this.#open[session] ?? []
      this.#end(inflight, open[this.#position] ?? 0)
      open[this.#position] = this.#begin(inflight)
      length = open.length
    }
    this.#position = (this.#position + 1) % length
  }

  #begin(inflight: Inflight): number {
    const delivery = new Delivery(Message.publish(CONTENT, 'bench', 0), this.#qos, false, [], 0, undefined)
    inflight.add(delivery)
    return delivery.packetIdentifier
  }

  #end(inflight: Inflight, packetIdentifier: number): void {
    const delivery = this.#qos === 1 ? inflight.acknowledge(packetIdentifier, 1) : inflight.receive(packetIdentifier)
    if (this.#qos === 2) inflight.complete(packetIdentifier)
    if (delivery === undefined) throw new Error(`${packetIdentifier} is not in flight`)
  }
}

/** The sessions stay from round to round: what is long-lived and holds what is short-lived may cost more in collections than in work. */
function exchanges(qos: 1 | 2, open: number): Measurement {
  let sessions: Sessions | undefined
  return {
    title: `inflight, QoS ${qos}, ${SESSIONS} sessions, ${open.toLocaleString('en')} open in each`,
    operations: OPERATIONS,
    prepare() {
      sessions ??= new Sessions(qos, open)
      const kept = sessions
      return () => {
        for (let count = 0; count < OPERATIONS; count += SESSIONS) kept.step()
      }
    }
  }
}

export const inflightMeasurements: readonly Measurement[] = ([1, 2] as const).flatMap((qos) =>
  [1, 20, 1_000].map((open) => exchanges(qos, open))
)
