import { ProtocolVersion } from '@godwit/protocol'
import { Fickle } from './fickle.ts'
import type { Ledger } from './ledger.ts'
import { Mortal } from './mortal.ts'
import { Publisher } from './publisher.ts'
import { RetainedBooks } from './retained-books.ts'
import type { Stage } from './stage.ts'
import { Subscriber } from './subscriber.ts'

const { Mqtt31, Mqtt311, Mqtt5 } = ProtocolVersion

/** Everybody who takes part in a run. */
export interface Cast {
  readonly publishers: readonly Publisher[]
  readonly retained: RetainedBooks
  readonly subscribers: readonly Subscriber[]
  /** Of the subscribers, those that are seldom there. */
  readonly sleepers: readonly Subscriber[]
  readonly mortals: readonly Mortal[]
  readonly fickle: Fickle
}

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}/${index}`)
}

export function makeCast(stage: Stage): Cast {
  const { ledger } = stage
  const retained = new RetainedBooks()
  const publishers = [
    new Publisher(stage, { clientId: 'p1', version: Mqtt311, topics: numbered('load/p1', 3), qos: 1, window: 40 }),
    new Publisher(stage, { clientId: 'p2', version: Mqtt5, topics: numbered('load/p2', 3), qos: 2, window: 40 }),
    new Publisher(stage, { clientId: 'p3', version: Mqtt311, topics: numbered('load/p3', 2), qos: 2, window: 5 }),
    new Publisher(stage, { clientId: 'p4', version: Mqtt5, isDurable: false, topics: ['load/p4'], qos: 1, window: 10 }),
    new Publisher(stage, { clientId: 'p5', version: Mqtt5, topics: numbered('kept/p5', 8), qos: 1, window: 4, retained }),
    new Publisher(stage, { clientId: 'p6', version: Mqtt311, topics: numbered('kept/p6', 8), qos: 2, window: 4, retained })
  ]
  const subscriber = (clientId: string, version: ProtocolVersion, filters: SubscriberFilters, answersPerTick = Infinity) =>
    new Subscriber(stage, {
      clientId,
      version,
      subscriptions: filters,
      answersPerTick,
      receiver: ledger.receiver(clientId, true)
    })
  const member = memberOf(stage, ledger)
  const sleepers = [
    subscriber('offline-1', Mqtt311, [['load/#', 1]]),
    subscriber('offline-2', Mqtt5, [['load/#', 2]]),
    member('hand-3', Mqtt5)
  ]
  const subscribers = [
    subscriber('online-1', Mqtt5, [['load/#', 1]]),
    subscriber('online-2', Mqtt311, [['load/#', 2]]),
    // Two filters that match the same messages: each comes once, at the higher QoS.
    subscriber('online-3', Mqtt31, [
      ['load/+/0', 2],
      ['load/p1/#', 1]
    ]),
    subscriber('slow-1', Mqtt5, [['load/#', 1]], 8),
    subscriber('slow-2', Mqtt311, [['load/#', 2]], 8),
    subscriber('watcher', Mqtt5, [['will/#', 2]]),
    member('hand-1', Mqtt311),
    member('hand-2', Mqtt5),
    ...sleepers
  ]
  const will = (clientId: string) => ({ clientId, topicName: `will/${clientId}` })
  const mortals = [
    new Mortal(stage, { ...will('m1'), version: Mqtt311, isDurable: false, qos: 1, willDelaySeconds: 0 }),
    new Mortal(stage, { ...will('m2'), version: Mqtt5, isDurable: false, qos: 2, willDelaySeconds: 0 }),
    new Mortal(stage, { ...will('m3'), version: Mqtt5, qos: 2, willDelaySeconds: 0 }),
    new Mortal(stage, { ...will('m4'), version: Mqtt5, qos: 2, willDelaySeconds: 1 }),
    new Mortal(stage, { ...will('m5'), version: Mqtt5, qos: 1, willDelaySeconds: 3600 })
  ]
  const fickle = new Fickle(stage, {
    clientId: 'fickle',
    version: Mqtt311,
    topics: numbered('fickle', 12),
    receiver: ledger.receiver('fickle', true)
  })
  return { publishers, retained, subscribers, sleepers, mortals, fickle }
}

type SubscriberFilters = readonly (readonly [topicFilter: string, qos: 1 | 2])[]

/** Members of one shared subscription: what one of them has received has been received. */
function memberOf(stage: Stage, ledger: Ledger): (clientId: string, version: ProtocolVersion) => Subscriber {
  const receiver = ledger.receiver('the group', false)
  return (clientId, version) =>
    new Subscriber(stage, { clientId, version, subscriptions: [['$share/hands/load/#', 2]], answersPerTick: 20, receiver })
}
