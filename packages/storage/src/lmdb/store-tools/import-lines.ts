import type { MessageProperties } from '@godwit/protocol'
import type {
  InflightRecord,
  LeavingRecord,
  ProgressRecord,
  ReplayRecord,
  RetainedScanRecord,
  SequenceRange,
  SessionRecord,
  SharedGroupRecord,
  SubscriptionRecord,
  WillRecord
} from '../../records.ts'
import type { SequenceNumber, StoredMessage } from '../../stored-message.ts'
import { EXPORT_VERSION, LINE_KINDS } from './export-format.ts'
import { FieldMistake, type Fields, readObject } from './import-fields.ts'

export interface ImportedSession {
  readonly session: SessionRecord
  readonly subscriptions: readonly SubscriptionRecord[]
  readonly progress: ProgressRecord
}

export interface ImportedGroup {
  readonly group: SharedGroupRecord
  readonly progress: ProgressRecord
}

/** A line of an export, as export-format.ts writes it. */
export type ImportLine =
  | { readonly kind: 'godwit-export' | 'end' }
  | { readonly kind: 'queue'; readonly topicFilter: string }
  | ({ readonly kind: 'session' } & ImportedSession)
  | ({ readonly kind: 'sharedSubscription' } & ImportedGroup)
  | {
      readonly kind: 'message'
      readonly sequence: SequenceNumber
      readonly queues: readonly string[]
      readonly message: StoredMessage
    }
  | { readonly kind: 'retained'; readonly sequence: SequenceNumber; readonly message: StoredMessage }
  | {
      readonly kind: 'received' | 'inflight'
      readonly clientId: string
      readonly packetIdentifier: number
      readonly message: StoredMessage
    }
  | { readonly kind: 'will'; readonly will: WillRecord }

const FOUR_BYTES_MAX = 0xff_ff_ff_ff
const PACKET_IDENTIFIER_MAX = 0xff_ff
const SUBSCRIPTION_IDENTIFIER_MAX = 268_435_455

/** @throws FieldMistake if the value is no line of an export of this version */
export function readImportLine(value: unknown): ImportLine {
  return readObject(value, '', (fields): ImportLine => {
    const kind = fields.oneOf('kind', LINE_KINDS)
    switch (kind) {
      case 'godwit-export':
        return readHeader(fields)
      case 'queue':
        return { kind, topicFilter: fields.topicFilter('topicFilter') }
      case 'session':
        return { kind, ...readSession(fields) }
      case 'sharedSubscription':
        return { kind, ...readSharedSubscription(fields) }
      case 'message':
        return {
          kind,
          sequence: fields.sequence('sequence'),
          queues: fields.list('queues', readText),
          message: fields.object('message', readMessage)
        }
      case 'retained':
        return { kind, sequence: fields.sequence('sequence'), message: fields.object('message', readMessage) }
      case 'received':
      case 'inflight':
        return {
          kind,
          clientId: fields.text('clientId'),
          packetIdentifier: fields.integer('packetIdentifier', 1, PACKET_IDENTIFIER_MAX),
          message: fields.object('message', readMessage)
        }
      case 'will':
        return { kind, will: readWill(fields) }
      case 'end':
        return { kind }
    }
  })
}

function readHeader(fields: Fields): ImportLine {
  fields.oneOf('version', [EXPORT_VERSION])
  fields.text('exportedAt')
  return { kind: 'godwit-export' }
}

function readSession(fields: Fields): ImportedSession {
  return {
    session: {
      clientId: fields.text('clientId'),
      sessionExpiryIntervalSeconds: fields.numberOrNever('sessionExpiryIntervalSeconds'),
      disconnectedAtMs: fields.time('disconnectedAtMs'),
      listener: fields.text('listener')
    },
    subscriptions: fields.objects('subscriptions', readSubscription),
    progress: fields.object('progress', readProgress)
  }
}

function readSharedSubscription(fields: Fields): ImportedGroup {
  return {
    group: {
      filter: fields.topicFilter('filter'),
      since: fields.sequence('since'),
      skipped: fields.objects('skipped', readRange)
    },
    progress: fields.object('progress', readProgress)
  }
}

function readSubscription(fields: Fields): SubscriptionRecord {
  return {
    topicFilter: fields.topicFilter('topicFilter'),
    ...readOptions(fields),
    qos: fields.oneOf('qos', [0, 1, 2]),
    since: fields.sequence('since'),
    skipped: fields.objects('skipped', readRange),
    retainedScan: fields.has('retainedScan') ? fields.object('retainedScan', readRetainedScan) : undefined,
    leaving: fields.has('leaving') ? fields.object('leaving', readLeaving) : undefined,
    replay: fields.has('replay') ? fields.object('replay', readReplay) : undefined
  }
}

function readOptions(
  fields: Fields
): Pick<SubscriptionRecord, 'noLocal' | 'retainAsPublished' | 'retainHandling' | 'subscriptionIdentifier'> {
  return {
    noLocal: fields.boolean('noLocal'),
    retainAsPublished: fields.boolean('retainAsPublished'),
    retainHandling: fields.oneOf('retainHandling', [0, 1, 2]),
    subscriptionIdentifier: fields.integer('subscriptionIdentifier', 0, SUBSCRIPTION_IDENTIFIER_MAX)
  }
}

function readRange(fields: Fields): SequenceRange {
  return { after: fields.sequence('after'), through: fields.sequence('through') }
}

function readRetainedScan(fields: Fields): RetainedScanRecord {
  return { upTo: fields.sequence('upTo'), after: fields.has('after') ? fields.text('after') : undefined }
}

function readLeaving(fields: Fields): LeavingRecord {
  return {
    ...readOptions(fields),
    qos: fields.oneOf('qos', [1, 2]),
    since: fields.sequence('since'),
    until: fields.sequence('until')
  }
}

function readReplay(fields: Fields): ReplayRecord {
  return {
    historyFilter: fields.topicFilter('historyFilter'),
    after: fields.has('after') ? fields.sequence('after') : undefined
  }
}

function readProgress(fields: Fields): ProgressRecord {
  return {
    cursor: fields.sequence('cursor'),
    finished: fields.integers('finished', 0, Number.MAX_SAFE_INTEGER),
    inflight: fields.objects('inflight', readInflight),
    released: fields.integers('released', 1, PACKET_IDENTIFIER_MAX)
  }
}

function readInflight(fields: Fields): InflightRecord {
  return {
    packetIdentifier: fields.integer('packetIdentifier', 1, PACKET_IDENTIFIER_MAX),
    sequence: fields.sequence('sequence'),
    qos: fields.oneOf('qos', [1, 2]),
    retain: fields.boolean('retain'),
    subscriptionIdentifiers: fields.integers('subscriptionIdentifiers', 1, SUBSCRIPTION_IDENTIFIER_MAX),
    group: fields.has('group') ? fields.topicFilter('group') : undefined
  }
}

function readWill(fields: Fields): WillRecord {
  return {
    clientId: fields.text('clientId'),
    delayIntervalSeconds: fields.integer('delayIntervalSeconds', 0, FOUR_BYTES_MAX),
    dueSinceMs: fields.time('dueSinceMs'),
    message: fields.object('message', readMessage)
  }
}

function readMessage(fields: Fields): StoredMessage {
  return {
    topicName: fields.topicName('topicName'),
    payload: fields.bytes('payload'),
    qos: fields.oneOf('qos', [0, 1, 2]),
    retain: fields.boolean('retain'),
    properties: fields.has('properties') ? fields.object('properties', readProperties) : {},
    publisherClientId: fields.text('publisherClientId'),
    publishedAtMs: fields.time('publishedAtMs'),
    expiresAtMs: fields.has('expiresAtMs') ? fields.time('expiresAtMs') : Infinity
  }
}

function readProperties(fields: Fields): MessageProperties {
  const hasCorrelationData = [fields.has('correlationData'), fields.has('correlationDataBase64')].includes(true)
  return {
    ...(fields.has('payloadFormatIndicator') && { payloadFormatIndicator: fields.oneOf('payloadFormatIndicator', [0, 1]) }),
    ...(fields.has('messageExpiryInterval') && {
      messageExpiryInterval: fields.integer('messageExpiryInterval', 0, FOUR_BYTES_MAX)
    }),
    ...(fields.has('contentType') && { contentType: fields.text('contentType') }),
    ...(fields.has('responseTopic') && { responseTopic: fields.text('responseTopic') }),
    ...(hasCorrelationData && { correlationData: fields.bytes('correlationData') }),
    ...(fields.has('userProperties') && { userProperties: fields.list('userProperties', readPair) })
  }
}

function readPair(value: unknown, path: string): readonly [name: string, value: string] {
  const pair: readonly unknown[] = Array.isArray(value) ? value : []
  const [name, text, ...rest] = pair
  if (typeof name === 'string' && typeof text === 'string' && rest.length === 0) return [name, text]
  throw new FieldMistake(`${path} is not a name and a value; accepted is a list of two texts`)
}

function readText(value: unknown, path: string): string {
  if (typeof value === 'string') return value
  throw new FieldMistake(`${path} is not a text; accepted is a Topic Filter`)
}
