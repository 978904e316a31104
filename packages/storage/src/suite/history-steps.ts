import * as fc from 'fast-check'
import type { ProgressRecord, SubscriptionRecord } from '../records.ts'
import type { StoredMessage } from '../stored-message.ts'
import { subscription } from './samples.ts'

const FILTERS = ['#', 'a/+', 'a/b', '+/b', '$share/g/a/b']
export const TOPICS: readonly string[] = ['a', 'a/b', 'a/c', 'b/b', '$SYS/b', 'ü/\u{1F600}']
const CLIENTS = ['', 'c', 'c1', 'c/1']

/** One step of a history. Positions are shares (0 to 1) of the sequence numbers given so far. */
export type Step =
  | { readonly kind: 'append'; readonly message: StoredMessage; readonly filters: readonly string[] }
  | { readonly kind: 'read'; readonly positions: readonly (readonly [filter: string, share: number])[]; readonly limit: number }
  | { readonly kind: 'trim' | 'backlog'; readonly filter: string; readonly share: number }
  | { readonly kind: 'drop'; readonly filter: string }
  | { readonly kind: 'putSession'; readonly clientId: string; readonly disconnectedAtMs: number }
  | { readonly kind: 'deleteSession' | 'deleteWill'; readonly clientId: string }
  | { readonly kind: 'putSubscription'; readonly clientId: string; readonly record: SubscriptionRecord }
  | { readonly kind: 'deleteSubscription'; readonly clientId: string; readonly filter: string }
  | { readonly kind: 'touchSession'; readonly clientId: string; readonly progress: ProgressRecord }
  | { readonly kind: 'touchGroup'; readonly filter: string; readonly progress: ProgressRecord }
  | { readonly kind: 'putGroup'; readonly filter: string; readonly since: number }
  | { readonly kind: 'deleteGroup'; readonly filter: string }
  | {
      readonly kind: 'putReceived'
      readonly clientId: string
      readonly packetIdentifier: number
      readonly message: StoredMessage
    }
  | { readonly kind: 'deleteReceived'; readonly clientId: string; readonly packetIdentifier: number }
  | {
      readonly kind: 'putWill'
      readonly clientId: string
      readonly message: StoredMessage
      readonly delayIntervalSeconds: number
    }
  | { readonly kind: 'putRetained'; readonly message: StoredMessage }
  | { readonly kind: 'deleteRetained'; readonly topicName: string }
  | { readonly kind: 'scan'; readonly filter: string; readonly limit: number }
  | { readonly kind: 'commit' | 'turn' | 'reopen' }

const filter = fc.constantFrom(...FILTERS)
const filters = fc.uniqueArray(filter, { maxLength: FILTERS.length, size: 'max' })
const clientId = fc.constantFrom(...CLIENTS)
const share = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }))
const sequence = fc.oneof(fc.nat(20), fc.maxSafeNat())
const packetIdentifier = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 65_535 }))
const limit = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constant(1_000))
const text = fc.string({ unit: 'binary', maxLength: 6 })
const epochMs = fc.maxSafeNat()

const message: fc.Arbitrary<StoredMessage> = fc.record({
  topicName: fc.constantFrom(...TOPICS),
  payload: fc.uint8Array({ maxLength: 12 }),
  qos: fc.constantFrom(0, 1, 2),
  retain: fc.boolean(),
  properties: fc.record(
    {
      payloadFormatIndicator: fc.constantFrom(0, 1),
      messageExpiryInterval: fc.nat(0xff_ff_ff_ff),
      contentType: text,
      responseTopic: text,
      correlationData: fc.uint8Array({ maxLength: 4 }),
      userProperties: fc.array(fc.tuple(text, text), { maxLength: 3 })
    },
    { requiredKeys: [] }
  ),
  publisherClientId: clientId,
  publishedAtMs: epochMs,
  expiresAtMs: fc.oneof(epochMs, fc.constant(Infinity))
})

const progress: fc.Arbitrary<ProgressRecord> = fc.record({
  cursor: sequence,
  finished: fc.uniqueArray(sequence, { maxLength: 4 }).map((numbers) => numbers.toSorted((a, b) => a - b)),
  inflight: fc.array(
    fc.record({
      packetIdentifier,
      sequence,
      qos: fc.constantFrom(1, 2),
      retain: fc.boolean(),
      subscriptionIdentifiers: fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 2 }),
      message: fc.option(message, { nil: undefined }),
      group: fc.option(filter, { nil: undefined })
    }),
    { maxLength: 3 }
  ),
  released: fc.uniqueArray(packetIdentifier, { maxLength: 4 })
})

const record: fc.Arbitrary<SubscriptionRecord> = fc
  .record({
    topicFilter: filter,
    qos: fc.constantFrom(0, 1, 2),
    noLocal: fc.boolean(),
    subscriptionIdentifier: fc.nat(268_435_455),
    since: sequence,
    retainedScan: fc.option(fc.record({ upTo: sequence, after: fc.option(text, { nil: undefined }) }), { nil: undefined })
  })
  .map(({ topicFilter, ...rest }) => subscription(topicFilter, rest))

const is = <const Kind extends string>(kind: Kind): fc.Arbitrary<Kind> => fc.constant(kind)

/** A step that has something to do with those before it more often than not: there are few names to choose from. */
export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: is('append'), message, filters }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: is('read'), positions: fc.array(fc.tuple(filter, share), { maxLength: 5 }), limit })
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('trim', 'backlog'), filter, share }) },
  fc.record({ kind: is('drop'), filter }),
  { weight: 3, arbitrary: fc.record({ kind: is('putSession'), clientId, disconnectedAtMs: epochMs }) },
  fc.record({ kind: fc.constantFrom('deleteSession', 'deleteWill'), clientId }),
  { weight: 2, arbitrary: fc.record({ kind: is('putSubscription'), clientId, record }) },
  fc.record({ kind: is('deleteSubscription'), clientId, filter }),
  { weight: 2, arbitrary: fc.record({ kind: is('touchSession'), clientId, progress }) },
  fc.record({ kind: is('touchGroup'), filter, progress }),
  fc.record({ kind: is('putGroup'), filter, since: sequence }),
  fc.record({ kind: is('deleteGroup'), filter }),
  { weight: 2, arbitrary: fc.record({ kind: is('putReceived'), clientId, packetIdentifier, message }) },
  fc.record({ kind: is('deleteReceived'), clientId, packetIdentifier }),
  fc.record({ kind: is('putWill'), clientId, message, delayIntervalSeconds: fc.nat(0xff_ff_ff_ff) }),
  { weight: 2, arbitrary: fc.record({ kind: is('putRetained'), message }) },
  fc.record({ kind: is('deleteRetained'), topicName: fc.constantFrom(...TOPICS) }),
  fc.record({ kind: is('scan'), filter: fc.constantFrom('#', '+', 'a/+', 'a/#', 'a/b', '+/b', '$SYS/+'), limit }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('commit', 'reopen') }) },
  // Commits that were begun are then in flight, in stores that take their time.
  { weight: 2, arbitrary: fc.record({ kind: is('turn') }) }
)
