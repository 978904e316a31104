import type { Kind } from './scenarios.ts'

/** A figure of mqload as the tables show it. */
export interface Headline {
  /** Its name in mqload's line. */
  readonly key: string
  readonly title: string
  /** What divides mqload's number to give that of the title. Default: 1. */
  readonly divisor?: number
  readonly better: 'higher' | 'lower'
}

function higher(key: string, title: string): Headline {
  return { key, title, better: 'higher' }
}

function lower(key: string, title: string, divisor = 1): Headline {
  return { key, title, divisor, better: 'lower' }
}

const latency = lower('p50_us', 'latency, median, ms', 1000)
const latency99 = lower('p99_us', 'latency, 99 %, ms', 1000)

export const HEADLINES: Readonly<Record<Kind, readonly Headline[]>> = {
  p2p: [higher('per_cpu_s', 'messages per CPU second'), higher('msgs_s', 'messages/s'), latency, latency99],
  fanout: [higher('per_cpu_s', 'deliveries per CPU second'), higher('msgs_s', 'deliveries/s'), latency99],
  fanin: [higher('per_cpu_s', 'messages per CPU second'), higher('msgs_s', 'messages/s'), latency99],
  rate: [
    higher('msgs_s', 'messages/s'),
    lower('broker_cpu_pct', 'CPU, %'),
    latency,
    latency99,
    lower('peak_rss_kb', 'resident memory, MB', 1000 / 1.024)
  ],
  connect: [
    higher('per_cpu_s', 'connections per CPU second'),
    higher('conns_s', 'connections/s'),
    lower('bytes_per_conn', 'memory per connection, kB', 1000),
    higher('pings_per_cpu_s', 'pings per CPU second')
  ],
  durable: [
    higher('acked_s', 'acknowledged/s'),
    higher('acked_per_cpu_s', 'acknowledged per CPU second'),
    higher('drain_s', 'drained/s'),
    higher('drained_per_cpu_s', 'drained per CPU second'),
    lower('bytes_per_queued', 'resident memory, bytes per queued message')
  ],
  crash: [
    lower('lost', 'acknowledged, and lost'),
    higher('drained', 'delivered after the crash'),
    higher('session_present', 'sessions still there')
  ],
  retained: [
    higher('store_per_cpu_s', 'stored per CPU second'),
    higher('store_s', 'stored/s'),
    higher('update_per_cpu_s', 'updated per CPU second'),
    higher('recv_per_cpu_s', 'received per CPU second'),
    higher('recv_s', 'received/s by a new subscriber'),
    lower('bytes_per_retained', 'resident memory, bytes per retained message')
  ],
  match: [
    higher('per_cpu_s', 'messages per CPU second'),
    higher('subscribe_per_cpu_s', 'subscriptions made per CPU second'),
    lower('bytes_per_sub', 'resident memory, bytes per subscription')
  ]
}

/** What must be 0. */
export const TROUBLES = [
  'lost',
  'dup',
  'reordered',
  'corrupt',
  'misrouted',
  'disconnects',
  'proto_err',
  'nack',
  'failed',
  'stalled',
  'skipped',
  'backlog_end',
  'undrained_at_90s'
] as const
