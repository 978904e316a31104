import { isUtf8 } from 'node:buffer'
import type { MessageProperties } from '@godwit/protocol'
import type {
  InflightRecord,
  LeavingRecord,
  ProgressRecord,
  SessionRecord,
  SharedGroupRecord,
  SubscriptionRecord,
  WillRecord
} from '../../records.ts'
import type { SequenceNumber, StoredMessage } from '../../stored-message.ts'

/** Raised whenever an import could not read what an earlier version exported. */
export const EXPORT_VERSION = 1

/**
 * The kinds of lines of an export, in the order in which they come: a header, whatever there is of the others, an end. So
 * an import knows all positions in the log before the first message, and every session before what belongs to it.
 */
export const LINE_KINDS = [
  'godwit-export',
  'queue',
  'session',
  'sharedSubscription',
  'message',
  'retained',
  'received',
  'inflight',
  'will',
  'end'
] as const

type LineKind = (typeof LINE_KINDS)[number]

/** One line, for JSON: a field that is undefined is left out there, and Infinity becomes `null`. */
export interface ExportLine {
  readonly kind: LineKind
  readonly [field: string]: unknown
}

export function headerLine(exportedAt: Date): ExportLine {
  return { kind: 'godwit-export', version: EXPORT_VERSION, exportedAt: exportedAt.toISOString() }
}

export function queueLine(topicFilter: string): ExportLine {
  return { kind: 'queue', topicFilter }
}

export function sessionLine(
  session: SessionRecord,
  subscriptions: readonly SubscriptionRecord[],
  progress: ProgressRecord
): ExportLine {
  const { clientId, sessionExpiryIntervalSeconds, disconnectedAtMs, listener } = session
  return {
    kind: 'session',
    clientId,
    sessionExpiryIntervalSeconds,
    disconnectedAtMs,
    listener,
    subscriptions: subscriptions.map(subscriptionFields),
    progress: progressFields(progress)
  }
}

export function sharedSubscriptionLine({ filter, since, skipped }: SharedGroupRecord, progress: ProgressRecord): ExportLine {
  return { kind: 'sharedSubscription', filter, since, skipped, progress: progressFields(progress) }
}

export function messageLine(sequence: SequenceNumber, queues: readonly string[], message: StoredMessage): ExportLine {
  return { kind: 'message', sequence, queues, message: messageFields(message) }
}

export function retainedLine(sequence: SequenceNumber, message: StoredMessage): ExportLine {
  return { kind: 'retained', sequence, message: messageFields(message) }
}

export function ownedLine(
  kind: 'received' | 'inflight',
  clientId: string,
  packetIdentifier: number,
  message: StoredMessage
): ExportLine {
  return { kind, clientId, packetIdentifier, message: messageFields(message) }
}

export function willLine({ clientId, delayIntervalSeconds, dueSinceMs, message }: WillRecord): ExportLine {
  return { kind: 'will', clientId, delayIntervalSeconds, dueSinceMs, message: messageFields(message) }
}

export function endLine(): ExportLine {
  return { kind: 'end' }
}

function subscriptionFields(record: SubscriptionRecord): object {
  const { topicFilter, qos, noLocal, retainAsPublished, retainHandling, subscriptionIdentifier, since } = record
  const { skipped, retainedScan, leaving, replay } = record
  return {
    topicFilter,
    qos,
    noLocal,
    retainAsPublished,
    retainHandling,
    subscriptionIdentifier,
    since,
    skipped,
    retainedScan,
    leaving: leaving && leavingFields(leaving),
    replay
  }
}

function leavingFields(record: LeavingRecord): object {
  const { qos, noLocal, retainAsPublished, retainHandling, subscriptionIdentifier, since, until } = record
  return { qos, noLocal, retainAsPublished, retainHandling, subscriptionIdentifier, since, until }
}

function progressFields({ cursor, finished, inflight, released }: ProgressRecord): object {
  return { cursor, finished, inflight: inflight.map(inflightFields), released }
}

function inflightFields(record: InflightRecord): object {
  const { packetIdentifier, sequence, qos, retain, subscriptionIdentifiers, group } = record
  return { packetIdentifier, sequence, qos, retain, subscriptionIdentifiers, group }
}

function messageFields(message: StoredMessage): object {
  const { topicName, payload, qos, retain, properties, publisherClientId, publishedAtMs, expiresAtMs } = message
  return {
    topicName,
    ...bytesField('payload', payload),
    qos,
    retain,
    properties: Object.keys(properties).length === 0 ? undefined : propertyFields(properties),
    publisherClientId,
    publishedAtMs,
    expiresAtMs: expiresAtMs === Infinity ? undefined : expiresAtMs
  }
}

function propertyFields({ correlationData, ...properties }: MessageProperties): object {
  return { ...properties, ...(correlationData !== undefined && bytesField('correlationData', correlationData)) }
}

/** Longer bytes go in base64 even if they are text, which JSON can make six times as long. */
const TEXT_BYTES_MAX = 1_024 * 1_024

/** As text where the bytes are UTF-8, so that encoding it gives them back; else in base64, under a name that says so. */
function bytesField(name: string, bytes: Uint8Array): object {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.length <= TEXT_BYTES_MAX && isUtf8(buffer)
    ? { [name]: buffer.toString() }
    : { [`${name}Base64`]: buffer.toString('base64') }
}
