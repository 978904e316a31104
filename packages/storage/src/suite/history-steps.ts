import * as fc from 'fast-check'
import type {
  LeavingRecord,
  ProgressRecord,
  SequenceRange,
  SessionRecord,
  SharedGroupRecord,
  SubscriptionRecord
} from '../records.ts'
import type { StoredMessage } from '../stored-message.ts'
import { session, sharedGroup, subscription } from './samples.ts'

const FILTERS = ['#', 'a/+', 'a/b', '+/b', '$share/g/a/b']
export const TOPICS: readonly string[] = ['a', 'a/b', 'a/c', 'b/b', '$SYS/b', 'ü/\u{1F600}']
const CLIENTS = ['', 'c', 'c1', 'c/1']

/** One step of a history. Positions are shares (0 to 1) of the sequence numbers given so far. */
export type Step =
  | { readonly kind: 'append'; readonly message: StoredMessage; readonly filters: readonly string[] }
  | { readonly kind: 'read'; readonly positions: readonly (readonly [filter: string, share: number])[]; readonly limit: number }
  | { readonly kind: 'trim' | 'backlog'; readonly filter: string; readonly share: number }
  | { readonly kind: 'drop'; readonly filter: string }
  | { readonly kind: 'putSession'; readonly record: SessionRecord }
  | { readonly kind: 'deleteSession' | 'deleteWill'; readonly clientId: string }
  | { readonly kind: 'putSubscription'; readonly clientId: string; readonly record: SubscriptionRecord }
  | { readonly kind: 'deleteSubscription'; readonly clientId: string; readonly filter: string }
  | { readonly kind: 'touchSession'; readonly clientId: string; readonly progress: ProgressRecord }
  | { readonly kind: 'moveCursor'; readonly clientId: string; readonly share: number }
  | { readonly kind: 'touchGroup'; readonly filter: string; readonly progress: ProgressRecord }
  | { readonly kind: 'putGroup'; readonly record: SharedGroupRecord }
  | { readonly kind: 'deleteGroup'; readonly filter: string }
  | {
      readonly kind: 'putReceived' | 'putInflight'
      readonly clientId: string
      readonly packetIdentifier: number
      readonly message: StoredMessage
    }
  | { readonly kind: 'deleteReceived' | 'deleteInflight'; readonly clientId: string; readonly packetIdentifier: number }
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
/** One more often than the others, so that steps meet. */
const clientId = fc.oneof(fc.constant('c'), fc.constantFrom(...CLIENTS))
const share = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }))
const sequence = fc.oneof(fc.nat(20), fc.maxSafeNat())
const packetIdentifier = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 65_535 }))
const limit = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constant(1_000))
const text = fc.string({ unit: 'binary', maxLength: 6 })
const epochMs = fc.maxSafeNat()

/** Any of the properties that a message can carry. */
export function messageProperties(
  text: fc.Arbitrary<string>,
  correlationBytesMax: number
): fc.Arbitrary<StoredMessage['properties']> {
  return fc.record(
    {
      payloadFormatIndicator: fc.constantFrom(0, 1),
      messageExpiryInterval: fc.nat(0xff_ff_ff_ff),
      contentType: text,
      responseTopic: text,
      correlationData: fc.uint8Array({ maxLength: correlationBytesMax }),
      userProperties: fc.array(fc.tuple(text, text), { maxLength: 3 })
    },
    { requiredKeys: [] }
  )
}

const message: fc.Arbitrary<StoredMessage> = fc.record({
  topicName: fc.constantFrom(...TOPICS),
  payload: fc.uint8Array({ maxLength: 12 }),
  qos: fc.constantFrom(0, 1, 2),
  retain: fc.boolean(),
  properties: messageProperties(text, 4),
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
      group: fc.option(filter, { nil: undefined })
    }),
    { maxLength: 3 }
  ),
  released: fc.uniqueArray(packetIdentifier, { maxLength: 4 })
})

const skipped: fc.Arbitrary<SequenceRange[]> = fc
  .uniqueArray(sequence, { maxLength: 6 })
  .map((numbers) => numbers.toSorted((a, b) => a - b))
  .map((bounds) => bounds.flatMap((through, index) => (index % 2 === 0 ? [] : [{ after: bounds[index - 1] ?? 0, through }])))

const leaving: fc.Arbitrary<LeavingRecord> = fc.record({
  qos: fc.constantFrom(1, 2),
  noLocal: fc.boolean(),
  retainAsPublished: fc.boolean(),
  retainHandling: fc.constantFrom(0, 1, 2),
  subscriptionIdentifier: fc.nat(268_435_455),
  since: sequence,
  until: sequence
})

const sessionRecord: fc.Arbitrary<SessionRecord> = fc
  .record({ clientId, disconnectedAtMs: epochMs, listener: text })
  .map(({ clientId: held, ...rest }) => session(held, rest))

const groupRecord: fc.Arbitrary<SharedGroupRecord> = fc
  .record({ filter, since: sequence, skipped })
  .map(({ filter: held, ...rest }) => sharedGroup(held, rest))

const record: fc.Arbitrary<SubscriptionRecord> = fc
  .record({
    topicFilter: filter,
    qos: fc.constantFrom(0, 1, 2),
    noLocal: fc.boolean(),
    subscriptionIdentifier: fc.nat(268_435_455),
    since: sequence,
    retainedScan: fc.option(fc.record({ upTo: sequence, after: fc.option(text, { nil: undefined }) }), { nil: undefined }),
    skipped,
    leaving: fc.option(leaving, { nil: undefined }),
    replay: fc.option(fc.record({ historyFilter: filter, after: fc.option(sequence, { nil: undefined }) }), { nil: undefined })
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
  { weight: 3, arbitrary: fc.record({ kind: is('putSession'), record: sessionRecord }) },
  fc.record({ kind: fc.constantFrom('deleteSession', 'deleteWill'), clientId }),
  { weight: 2, arbitrary: fc.record({ kind: is('putSubscription'), clientId, record }) },
  fc.record({ kind: is('deleteSubscription'), clientId, filter }),
  { weight: 2, arbitrary: fc.record({ kind: is('touchSession'), clientId, progress }) },
  { weight: 4, arbitrary: fc.record({ kind: is('moveCursor'), clientId, share }) },
  fc.record({ kind: is('touchGroup'), filter, progress }),
  fc.record({ kind: is('putGroup'), record: groupRecord }),
  fc.record({ kind: is('deleteGroup'), filter }),
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('putReceived', 'putInflight'), clientId, packetIdentifier, message })
  },
  fc.record({ kind: fc.constantFrom('deleteReceived', 'deleteInflight'), clientId, packetIdentifier }),
  fc.record({ kind: is('putWill'), clientId, message, delayIntervalSeconds: fc.nat(0xff_ff_ff_ff) }),
  { weight: 2, arbitrary: fc.record({ kind: is('putRetained'), message }) },
  fc.record({ kind: is('deleteRetained'), topicName: fc.constantFrom(...TOPICS) }),
  fc.record({ kind: is('scan'), filter: fc.constantFrom('#', '+', 'a/+', 'a/#', 'a/b', '+/b', '$SYS/+'), limit }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('commit', 'reopen') }) },
  // Commits that were begun are then in flight, in stores that take their time.
  { weight: 2, arbitrary: fc.record({ kind: is('turn') }) }
)
