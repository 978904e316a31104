import {
  isSharedSubscription,
  parseSharedSubscription,
  ReasonCode,
  type SubscribePacket,
  type SubscribeReasonCode,
  type SubscriptionRequest,
  validateTopicFilter
} from '@godwit/protocol'
import type { SequenceNumber } from '@godwit/storage'

/** The User Property of a SUBSCRIBE that asks for history. */
const REPLAY_PROPERTY = 'godwit-replay'
/** The User Property that tells where a message stands in the log. */
export const SEQUENCE_PROPERTY = 'godwit-sequence'

const REPLAY_PREFIX = '$replay/'
/** From here on a number counts milliseconds: as seconds it would be in the year 5138, and as milliseconds it is in 1973. */
const MILLISECONDS_FROM = 100_000_000_000
const ISO_8601 = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)(?:Z|([+-]\d{2}):?(\d{2}))?)?$/
/** Characters of what was asked for that a Reason String repeats. */
const QUOTED_MAX = 64
const ACCEPTED = 'all, last=N, after=SEQUENCE, from=TIME (ISO 8601, or seconds or milliseconds since 1970)'

/** Where in the history a client wants to begin. */
export type ReplayStart =
  | { readonly kind: 'all' }
  | { readonly kind: 'last'; readonly messages: number }
  | { readonly kind: 'after'; readonly sequence: SequenceNumber }
  | { readonly kind: 'from'; readonly atMs: number }

/** Why a filter is not subscribed to. */
export interface SubscribeRefusal {
  readonly reasonCode: SubscribeReasonCode
  /** For people; undefined: the Reason Code says it all. */
  readonly reason: string | undefined
}

/** A topic filter of a SUBSCRIBE, and the history that is asked for along with it. */
export interface AskedSubscription {
  /** Its topic filter is without `$replay/.../`. */
  readonly request: SubscriptionRequest
  /** As the client wrote it. */
  readonly writtenFilter: string
  readonly start: ReplayStart | undefined
  readonly refusal: SubscribeRefusal | undefined
}

export function isReplayFilter(topicFilter: string): boolean {
  return topicFilter.startsWith(REPLAY_PREFIX)
}

/** `all`, `last=10`, `after=123`, `from=2026-01-31T12:00:00Z`; undefined: none of these. */
export function parseReplayStart(text: string): ReplayStart | undefined {
  if (text === 'all') return { kind: 'all' }
  const kind = text.slice(0, Math.max(0, text.indexOf('=')))
  const value = text.slice(kind.length + 1)
  if (kind === 'last' && isCount(value) && Number(value) > 0) return { kind, messages: Number(value) }
  if (kind === 'after' && isCount(value)) return { kind, sequence: Number(value) }
  const atMs = kind === 'from' ? parseTime(value) : NaN
  return Number.isNaN(atMs) ? undefined : { kind: 'from', atMs }
}

/** `$replay/START/FILTER`, taken apart; undefined: it is none, or not a good one. */
export function parseReplayFilter(
  topicFilter: string
): { readonly start: ReplayStart; readonly topicFilter: string } | undefined {
  if (!isReplayFilter(topicFilter)) return undefined
  const startEnd = topicFilter.indexOf('/', REPLAY_PREFIX.length)
  if (startEnd < 0) return undefined
  const start = parseReplayStart(topicFilter.slice(REPLAY_PREFIX.length, startEnd))
  const inner = topicFilter.slice(startEnd + 1)
  const isPlain = validateTopicFilter(inner) === undefined && !isSharedSubscription(inner) && !isReplayFilter(inner)
  return start === undefined || !isPlain ? undefined : { start, topicFilter: inner }
}

/** What a SUBSCRIBE asks for: a filter's own `$replay/` goes before the User Property, which is for all filters. */
export function readRequests({ subscriptions, properties }: SubscribePacket): readonly AskedSubscription[] {
  const values = (properties.userProperties ?? []).filter(([name]) => name === REPLAY_PROPERTY).map(([, value]) => value)
  return subscriptions.map((request) => {
    const writtenFilter = request.topicFilter
    const asked = { request, writtenFilter, start: undefined, refusal: undefined }
    if (isReplayFilter(innermost(writtenFilter))) {
      const parsed = parseReplayFilter(writtenFilter)
      if (parsed === undefined) return { ...asked, refusal: badFilter(writtenFilter) }
      return { ...asked, request: { ...request, topicFilter: parsed.topicFilter }, start: parsed.start }
    }
    if (values.length === 0) return asked
    const start = values.length === 1 ? parseReplayStart(values[0] ?? '') : undefined
    if (start === undefined) return { ...asked, refusal: badProperty(values) }
    return isSharedSubscription(writtenFilter) ? { ...asked, refusal: SHARED } : { ...asked, start }
  })
}

/** Nothing is kept that could be replayed for a filter. */
export function withoutHistory({ writtenFilter, request }: AskedSubscription): SubscribeRefusal {
  const reasonCode = isReplayFilter(writtenFilter) ? ReasonCode.TopicFilterInvalid : ReasonCode.ImplementationSpecificError
  return { reasonCode, reason: `this server keeps no history for all that ${request.topicFilter} matches` }
}

const SHARED: SubscribeRefusal = {
  reasonCode: ReasonCode.ImplementationSpecificError,
  reason: `a Shared Subscription has no history: subscribe to it without ${REPLAY_PROPERTY}`
}

function badProperty(values: readonly string[]): SubscribeRefusal {
  const given = values.length === 1 ? `is ${(values[0] ?? '').slice(0, QUOTED_MAX)}` : `is there ${values.length} times`
  return {
    reasonCode: ReasonCode.ImplementationSpecificError,
    reason: `${REPLAY_PROPERTY} ${given}; accepted is one of ${ACCEPTED}`
  }
}

function badFilter(writtenFilter: string): SubscribeRefusal {
  const reason = isSharedSubscription(writtenFilter)
    ? 'a Shared Subscription has no history'
    : `accepted is $replay/START/FILTER with a START of ${ACCEPTED}, and a FILTER that is not shared`
  return { reasonCode: ReasonCode.TopicFilterInvalid, reason }
}

/** What a Shared Subscription shares, which must be no replay; any other filter itself. */
function innermost(topicFilter: string): string {
  const isShared = isSharedSubscription(topicFilter) && validateTopicFilter(topicFilter) === undefined
  return (isShared ? parseSharedSubscription(topicFilter)?.topicFilter : undefined) ?? topicFilter
}

function isCount(text: string): boolean {
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text))
}

/** Milliseconds since 1970; NaN: it is no time. What names no time zone is in UTC. */
function parseTime(text: string): number {
  if (/^\d{1,15}(\.\d+)?$/.test(text)) {
    const value = Number(text)
    return value < MILLISECONDS_FROM ? value * 1000 : value
  }
  const iso = ISO_8601.exec(text)
  if (iso === null) return NaN
  const [, date, time, hours, minutes] = iso
  if (time === undefined) return Date.parse(text)
  return Date.parse(`${date}T${time.replace(',', '.')}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`)
}
