import type { QoS } from '@godwit/protocol'

export type ScenarioName = 'connect' | 'publish' | 'subscribe' | 'fan-out' | 'fan-in' | 'p2p' | 'durable'

/** What a rate counts. */
export type RateOf = 'connections' | 'published' | 'acknowledged' | 'received'

export interface Scenario {
  readonly description: string
  /** What `--clients` sets. */
  readonly clientsAre: 'publishers' | 'subscribers' | 'pairs'
  readonly publishers: number
  readonly subscribers: number
  readonly inflight: number
  /** Whose messages a subscriber gets: those of its own publisher, or of all. */
  readonly hears: 'own' | 'all' | 'none'
  /** The figure that stands for the scenario. */
  readonly headline: RateOf
}

export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  connect: {
    description: 'clients connect, stay, and disconnect',
    clientsAre: 'subscribers',
    publishers: 0,
    subscribers: 1_000,
    inflight: 64,
    hears: 'none',
    headline: 'connections'
  },
  publish: {
    description: 'publishers, and nobody who subscribes',
    clientsAre: 'publishers',
    publishers: 50,
    subscribers: 0,
    inflight: 100,
    hears: 'none',
    headline: 'acknowledged'
  },
  subscribe: {
    description: 'one publisher, and as many messages as a few subscribers can take',
    clientsAre: 'subscribers',
    publishers: 1,
    subscribers: 10,
    inflight: 200,
    hears: 'all',
    headline: 'received'
  },
  'fan-out': {
    description: 'one publisher to many subscribers',
    clientsAre: 'subscribers',
    publishers: 1,
    subscribers: 500,
    inflight: 20,
    hears: 'all',
    headline: 'received'
  },
  // Mosquitto queues 1,000 messages for a client by default: 400 under way leave room for those that are not yet acknowledged.
  'fan-in': {
    description: 'many publishers to one subscriber',
    clientsAre: 'publishers',
    publishers: 200,
    subscribers: 1,
    inflight: 2,
    hears: 'all',
    headline: 'received'
  },
  p2p: {
    description: 'pairs of a publisher and a subscriber, each on a topic of its own',
    clientsAre: 'pairs',
    publishers: 50,
    subscribers: 50,
    inflight: 20,
    hears: 'own',
    headline: 'received'
  },
  durable: {
    description: 'messages for sessions whose clients are away, which then come back for them',
    clientsAre: 'pairs',
    publishers: 50,
    subscribers: 50,
    inflight: 20,
    hears: 'own',
    headline: 'received'
  }
}

/** Messages for each session of `durable`, unless the flags say: as many as Mosquitto queues by default. */
export const DURABLE_MESSAGES_EACH = 1_000

/** What is measured if nothing is said: a bit of everything, in about ten seconds. */
export const TOUR: readonly { readonly scenario: ScenarioName; readonly qos: QoS }[] = [
  { scenario: 'connect', qos: 0 },
  { scenario: 'p2p', qos: 0 },
  { scenario: 'p2p', qos: 1 },
  { scenario: 'p2p', qos: 2 },
  { scenario: 'fan-out', qos: 0 },
  { scenario: 'fan-in', qos: 0 },
  { scenario: 'durable', qos: 1 }
]

export function isScenarioName(text: string): text is ScenarioName {
  return Object.hasOwn(SCENARIOS, text)
}
