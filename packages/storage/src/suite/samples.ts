import { PackedMessage } from '../packed-message.ts'
import type { InflightRecord, ProgressRecord, SessionRecord, SharedGroupRecord, SubscriptionRecord } from '../records.ts'
import type { StoredMessage } from '../stored-message.ts'

/** An Application Message; what is not given is plain. */
export function message(topicName: string, payload: string | Uint8Array = '', rest: Partial<StoredMessage> = {}): StoredMessage {
  return {
    topicName,
    payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
    qos: 1,
    retain: false,
    properties: {},
    publisherClientId: 'publisher',
    publishedAtMs: 1_700_000_000_000,
    expiresAtMs: Infinity,
    ...rest
  }
}

/** An Application Message that uses everything a message can carry. */
export function fullMessage(topicName: string): StoredMessage {
  return message(
    topicName,
    Uint8Array.from({ length: 256 }, (_, byte) => byte),
    {
      qos: 2,
      retain: true,
      properties: {
        payloadFormatIndicator: 1,
        messageExpiryInterval: 0xff_ff_ff_ff,
        contentType: 'text/plain; charset=utf-8',
        responseTopic: 'responses/ünï',
        correlationData: Uint8Array.of(0, 127, 128, 255),
        userProperties: [
          ['b', '2'],
          ['a', '1'],
          ['b', '2'],
          ['', ''],
          ['𝄞', '\u{10FFFF}']
        ]
      },
      publisherClientId: '',
      publishedAtMs: 0,
      expiresAtMs: 1_700_000_000_123
    }
  )
}

export function session(clientId: string, rest: Partial<SessionRecord> = {}): SessionRecord {
  return { clientId, sessionExpiryIntervalSeconds: Infinity, disconnectedAtMs: 0, listener: '', ...rest }
}

export function subscription(topicFilter: string, rest: Partial<SubscriptionRecord> = {}): SubscriptionRecord {
  return {
    topicFilter,
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
    subscriptionIdentifier: 0,
    since: 0,
    retainedScan: undefined,
    skipped: [],
    leaving: undefined,
    replay: undefined,
    ...rest
  }
}

export function sharedGroup(filter: string, rest: Partial<SharedGroupRecord> = {}): SharedGroupRecord {
  return { filter, since: 0, skipped: [], ...rest }
}

export function progress(cursor: number, rest: Partial<ProgressRecord> = {}): ProgressRecord {
  return { cursor, finished: [], inflight: [], released: [], ...rest }
}

export function inflight(packetIdentifier: number, sequence: number, rest: Partial<InflightRecord> = {}): InflightRecord {
  return {
    packetIdentifier,
    sequence,
    qos: 1,
    retain: false,
    subscriptionIdentifiers: [],
    group: undefined,
    ...rest
  }
}

/**
 * A record or message as plain values, for comparing: bytes as base64 whichever class holds them, and what is undefined
 * left out.
 */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `base64:${Buffer.from(value).toString('base64')}`
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof PackedMessage) return plain(fieldsOf(value))
  const entries = Object.entries(value).filter(([, held]) => held !== undefined)
  return Object.fromEntries(entries.map(([key, held]) => [key, plain(held)]))
}

function fieldsOf(message: StoredMessage): StoredMessage {
  const { topicName, payload, qos, retain, properties, publisherClientId, publishedAtMs, expiresAtMs } = message
  return { topicName, payload, qos, retain, properties, publisherClientId, publishedAtMs, expiresAtMs }
}

/** A list of records as plain values, in order of what identifies them. */
export function sorted<T>(records: readonly T[], identity: (record: T) => string): unknown {
  return plain(records.toSorted((a, b) => (identity(a) < identity(b) ? -1 : 1)))
}
