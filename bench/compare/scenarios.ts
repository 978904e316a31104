import type { BrokerName } from './brokers.ts'

export type Kind = 'p2p' | 'fanout' | 'fanin' | 'rate' | 'connect' | 'durable' | 'crash' | 'retained' | 'match'

export interface Scenario {
  readonly name: string
  readonly kind: Kind
  /** What mqload is told; for `crash`, of each of the two halves between which the broker is killed. */
  readonly load: string
  /** Whether it is among those that are measured unless others are named. */
  readonly isUsual: boolean
  /** Who takes part; undefined: Godwit, Mosquitto and Aedes. */
  readonly brokers?: readonly BrokerName[]
}

const USUAL: readonly Omit<Scenario, 'isUsual'>[] = [
  { name: 'p2p-q0', kind: 'p2p', load: 'p2p --qos 0 --pubs 50 --window 20' },
  { name: 'p2p-q1', kind: 'p2p', load: 'p2p --qos 1 --pubs 50 --window 20' },
  { name: 'p2p-q2', kind: 'p2p', load: 'p2p --qos 2 --pubs 50 --window 20' },
  { name: 'fanout-q0', kind: 'fanout', load: 'fanout --subs 1000' },
  { name: 'fanout-q1', kind: 'fanout', load: 'fanout --subs 1000 --qos 1' },
  { name: 'fanin-q0', kind: 'fanin', load: 'fanin --pubs 1000' },
  { name: 'fanin-q1', kind: 'fanin', load: 'fanin --pubs 1000 --qos 1' },
  { name: 'rate-10k', kind: 'rate', load: 'rate --conns 500 --rate 10000' },
  { name: 'rate-40k', kind: 'rate', load: 'rate --conns 500 --rate 40000' },
  { name: 'connect', kind: 'connect', load: 'connect --n 18000 --time 30' },
  { name: 'durable', kind: 'durable', load: 'durable --k 200000 --subs 20 --pubs 10 --window 20 --time 20' },
  { name: 'durable-1k', kind: 'durable', load: 'durable --k 200000 --subs 20 --pubs 10 --window 100 --time 20' },
  {
    name: 'durable-20k',
    kind: 'durable',
    load: 'durable --k 20000 --subs 20 --pubs 10 --window 20 --time 20',
    brokers: ['godwit', 'mosquitto-safe']
  },
  { name: 'retained', kind: 'retained', load: 'retained --k 100000 --pubs 10 --window 20 --rounds 2 --time 15' },
  { name: 'crash', kind: 'crash', load: 'durable --k 20000 --subs 20 --pubs 10 --window 20 --time 20' },
  { name: 'match-1k', kind: 'match', load: 'match --n 1000' },
  { name: 'match-1m', kind: 'match', load: 'match --n 1000000' }
]

const MORE: readonly Omit<Scenario, 'isUsual'>[] = [
  { name: 'p2p-q0-v5', kind: 'p2p', load: 'p2p --qos 0 --pubs 50 --window 20 --v 5' },
  { name: 'p2p-q1-v5', kind: 'p2p', load: 'p2p --qos 1 --pubs 50 --window 20 --v 5' },
  { name: 'p2p-q0-1k', kind: 'p2p', load: 'p2p --qos 0 --pubs 50 --window 20 --size 1024' },
  { name: 'pingpong-q0', kind: 'p2p', load: 'p2p --qos 0 --pubs 1 --window 1' },
  { name: 'pingpong-q1', kind: 'p2p', load: 'p2p --qos 1 --pubs 1 --window 1' },
  { name: 'rate-10k-q1', kind: 'rate', load: 'rate --conns 500 --rate 10000 --qos 1' },
  { name: 'rate-10k-in5', kind: 'rate', load: 'rate --conns 500 --subs 5 --rate 10000' },
  { name: 'connect-sub', kind: 'connect', load: 'connect --n 18000 --time 30 --sub 1' },
  { name: 'churn', kind: 'connect', load: 'connect --n 40000 --time 20 --churn 1' },
  { name: 'match-100k', kind: 'match', load: 'match --n 100000' }
]

export const SCENARIOS: readonly Scenario[] = [
  ...USUAL.map((scenario) => ({ ...scenario, isUsual: true })),
  ...MORE.map((scenario) => ({ ...scenario, isUsual: false }))
]

/**
 * @param names `usual`, `full`, or names separated by commas, of which those that end in `*` stand for all that begin so
 * @throws RangeError for a name that means no scenario
 */
export function scenariosNamed(names: string): Scenario[] {
  if (names === 'full') return [...SCENARIOS]
  if (names === 'usual') return SCENARIOS.filter(({ isUsual }) => isUsual)
  return names.split(',').flatMap((name) => {
    const meant = SCENARIOS.filter((scenario) =>
      name.endsWith('*') ? scenario.name.startsWith(name.slice(0, -1)) : scenario.name === name
    )
    if (meant.length > 0) return meant
    throw new RangeError(`${name}: no such scenario; there are ${SCENARIOS.map((each) => each.name).join(', ')}`)
  })
}
