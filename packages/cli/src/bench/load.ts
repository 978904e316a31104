import type { QoS } from '@godwit/protocol'
import type { ScenarioName } from './scenarios.ts'

/** What is done to a broker in one run: the whole of it, for every thread to see. */
export interface Load {
  readonly scenario: ScenarioName
  readonly qos: QoS
  readonly publishers: number
  /** Of `connect`: clients that do nothing else. */
  readonly subscribers: number
  readonly payloadBytes: number
  /** Messages of a publisher that are under way: not acknowledged, or not delivered. */
  readonly inflight: number
  /** Of all publishers together; undefined: as fast as messages arrive. */
  readonly ratePerSecond: number | undefined
  /** Of all publishers together; undefined: as many as the time allows. `durable` always has a number. */
  readonly messages: number | undefined
  readonly durationMs: number
  readonly warmUpMs: number
  /** `connect`: how long the connections are kept. */
  readonly holdMs: number
  /** Publisher n publishes to `{topic}/n`. */
  readonly topic: string
}

/** `p2p, QoS 1`: what results are called by. */
export function labelOf({ scenario, qos }: Pick<Load, 'scenario' | 'qos'>): string {
  return scenario === 'connect' ? scenario : `${scenario}, QoS ${qos}`
}

/** How many subscribers get each message of a publisher. */
export function copiesOf({
  hears,
  subscribers
}: {
  readonly hears: 'own' | 'all' | 'none'
  readonly subscribers: number
}): number {
  if (hears === 'all') return subscribers
  return hears === 'own' ? 1 : 0
}
