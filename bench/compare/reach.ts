import { formatted } from '../statistics.ts'
import type { BrokerName } from './brokers.ts'
import { FiguresOf } from './figures-of.ts'
import type { Run } from './results.ts'
import { table } from './tables.ts'

/** Something that Godwit is to reach: one of its figures, or its ratio to another. */
interface Target {
  readonly scenario: string
  readonly key: string
  readonly title: string
  /** What its figure is divided by; undefined: nothing. */
  readonly against: { readonly scenario: string; readonly broker: BrokerName; readonly title: string } | undefined
  readonly bound: 'at least' | 'at most'
  readonly value: number
}

type Figure = readonly [key: string, title: string]

function target(
  scenario: string,
  [key, title]: Figure,
  against: Target['against'],
  bound: Target['bound'],
  value: number
): Target {
  return { scenario, key, title, against, bound, value }
}

/** Against another broker in the same scenario. */
function ratio(scenario: string, figure: Figure, broker: 'mosquitto' | 'aedes', bound: Target['bound'], value: number): Target {
  const against = { scenario, broker, title: broker === 'aedes' ? "of Aedes's" : "of Mosquitto's" }
  return target(scenario, figure, against, bound, value)
}

const perCpu = ['per_cpu_s', 'messages per CPU second'] as const
const cpu = ['broker_cpu_pct', 'CPU'] as const
const latency = ['p99_us', 'latency, 99 %'] as const
const acknowledged = ['acked_s', 'acknowledged/s'] as const
const drained = ['drain_s', 'drained/s'] as const
const connections = ['per_cpu_s', 'connections per CPU second'] as const
const connectionBytes = ['bytes_per_conn', 'bytes per connection'] as const

const SAFE_MODE = {
  scenario: 'durable-20k',
  broker: 'mosquitto-safe',
  title: "of Mosquitto's safe mode with 20,000 messages"
} as const
const FEW_SUBSCRIPTIONS = { scenario: 'match-1k', broker: 'godwit', title: 'with 1,000 subscriptions' } as const

const THROUGHPUT = [
  ['p2p-q0', 8, 8],
  ['p2p-q1', 8, 8],
  ['p2p-q2', 8, 8],
  ['fanout-q0', 6, 8],
  ['fanin-q0', 6, 8],
  ['fanout-q1', 5, 6],
  ['fanin-q1', 5, 6]
] as const

const TARGETS: readonly Target[] = [
  ...THROUGHPUT.flatMap(([scenario, mosquitto, aedes]) => [
    ratio(scenario, perCpu, 'mosquitto', 'at least', mosquitto),
    ratio(scenario, perCpu, 'aedes', 'at least', aedes)
  ]),
  ...['rate-10k', 'rate-40k'].flatMap((scenario) =>
    [cpu, latency].flatMap((figure) => [
      ratio(scenario, figure, 'mosquitto', 'at most', 1),
      ratio(scenario, figure, 'aedes', 'at most', 0.5)
    ])
  ),
  ratio('durable', acknowledged, 'mosquitto', 'at least', 1),
  target('durable', acknowledged, SAFE_MODE, 'at least', 50),
  ratio('durable', drained, 'mosquitto', 'at least', 2),
  ratio('durable', drained, 'aedes', 'at least', 5),
  ratio('connect', connections, 'mosquitto', 'at least', 0.4),
  ratio('connect', connections, 'aedes', 'at least', 3),
  target('connect', connectionBytes, undefined, 'at most', 8000),
  ratio('connect', connectionBytes, 'aedes', 'at most', 0.65),
  target('match-1m', perCpu, FEW_SUBSCRIPTIONS, 'at least', 0.7)
]

/** What was measured of each target; those without a measurement are left out. */
export function reachTable(runs: readonly Run[]): string {
  const rows = TARGETS.flatMap(({ scenario, key, title, against, bound, value }) => {
    const own = new FiguresOf(runs, scenario, 'godwit').median(key)
    const measured = against === undefined ? own : own / new FiguresOf(runs, against.scenario, against.broker).median(key)
    if (!Number.isFinite(measured)) return []
    const isReached = bound === 'at least' ? measured >= value : measured <= value
    const times = against === undefined ? '' : ` × that ${against.title}`
    return [[scenario, title, `${bound} ${formatted(value)}${times}`, formatted(measured), isReached ? 'yes' : '**no**']]
  })
  return table(['scenario', 'figure', 'to reach', 'measured', 'reached'], rows)
}
