import {
  type MessageProperties,
  NO_PROPERTIES,
  type ProtocolVersion,
  ProtocolVersion as Version,
  type QoS,
  type UserProperty,
  validateTopicName,
  type Will
} from '@godwit/protocol'
import { ClientError } from './client-error.ts'
import type { Clock } from './clock.ts'
import { encodePayload } from './encode-payload.ts'
import {
  CONNECT_TIMEOUT_MS,
  INFLIGHT_MAXIMUM,
  KEEP_ALIVE_SECONDS,
  MAXIMUM_PACKET_SIZE,
  OUTBOX_BYTES_MAX,
  OUTBOX_MESSAGES_MAX,
  PUBLISH_IDENTIFIERS,
  RECEIVE_MAXIMUM,
  TOPIC_ALIAS_MAXIMUM,
  UNCLAIMED_HOLD_MS
} from './limits.ts'
import type { ClientOptions, OutboxLimits, WillOptions } from './options.ts'
import type { PublishOptions } from './publish-options.ts'

const encoder = new TextEncoder()
const FOUR_BYTES_MAX = 0xffff_ffff
const TWO_BYTES_MAX = 0xffff
const SCHEMES: ReadonlySet<string> = new Set(['mqtt:', 'tcp:', 'mqtts:', 'tls:', 'ws:', 'wss:', 'unix:'])

/** The options of a client, checked, with every default. */
export interface Settings {
  readonly options: ClientOptions
  /** Where to connect to, in turn, without user and password. */
  readonly urls: readonly string[]
  readonly userName: string | undefined
  readonly password: Uint8Array | undefined
  /** To try, the first one first. */
  readonly versions: readonly ProtocolVersion[]
  readonly keepAliveSeconds: number
  /** Undefined: the default for the keep alive that is in force. */
  readonly pingTimeoutMs: number | undefined
  readonly connectTimeoutMs: number
  readonly receiveMaximum: number
  readonly maximumPacketSize: number
  readonly topicAliasMaximum: number
  readonly inflightMaximum: number
  readonly unclaimedHoldMs: number
  readonly will: Will | undefined
  readonly outboxLimits: Required<{ [Name in keyof OutboxLimits]: number }>
  readonly clock: Clock
  readonly random: () => number
}

/** @throws {ClientError} `invalid-argument`, which names the option and says what is accepted */
export function settingsOf(url: string | readonly string[], options: ClientOptions, clock: Clock): Settings {
  const urls = (typeof url === 'string' ? [url] : url).map(checkedUrl)
  const first = urls[0]
  if (first === undefined) throw invalid('At least one URL is needed')
  for (const { userName, password } of urls.slice(1)) {
    if ((userName ?? first.userName) === first.userName && (password ?? first.password) === first.password) continue
    throw invalid('All URLs of a client have one user and password: give them in the first URL, or as options')
  }
  const { outboxLimits = {} } = options
  const keepAliveSeconds = integer('keepAliveSeconds', options.keepAliveSeconds ?? KEEP_ALIVE_SECONDS, 0, TWO_BYTES_MAX)
  optionalInteger('pingTimeoutMs', options.pingTimeoutMs, 1, FOUR_BYTES_MAX)
  checkText('clientId', options.clientId ?? '')
  checkUserProperties(options.userProperties)
  optionalInteger('sessionExpirySeconds', options.sessionExpirySeconds, 0, FOUR_BYTES_MAX)
  const { versions, userName, password } = credentialsOf(options, first)
  return {
    options,
    urls: urls.map(({ href }) => href),
    userName,
    password,
    versions,
    keepAliveSeconds,
    pingTimeoutMs: options.pingTimeoutMs,
    connectTimeoutMs: integer('connectTimeoutMs', options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS, 1, FOUR_BYTES_MAX),
    receiveMaximum: integer('receiveMaximum', options.receiveMaximum ?? RECEIVE_MAXIMUM, 1, TWO_BYTES_MAX),
    maximumPacketSize: integer('maximumPacketSize', options.maximumPacketSize ?? MAXIMUM_PACKET_SIZE, 1, FOUR_BYTES_MAX),
    topicAliasMaximum: integer('topicAliasMaximum', options.topicAliasMaximum ?? TOPIC_ALIAS_MAXIMUM, 0, TWO_BYTES_MAX),
    inflightMaximum: integer('inflightMaximum', options.inflightMaximum ?? INFLIGHT_MAXIMUM, 1, PUBLISH_IDENTIFIERS),
    unclaimedHoldMs: integer('unclaimedHoldMs', options.unclaimedHoldMs ?? UNCLAIMED_HOLD_MS, 0, FOUR_BYTES_MAX),
    will: options.will === undefined ? undefined : willOf(options.will),
    outboxLimits: {
      messages: integer('outboxLimits.messages', outboxLimits.messages ?? OUTBOX_MESSAGES_MAX, 1, Number.MAX_SAFE_INTEGER),
      bytes: integer('outboxLimits.bytes', outboxLimits.bytes ?? OUTBOX_BYTES_MAX, 1, Number.MAX_SAFE_INTEGER),
      ageMs:
        outboxLimits.ageMs === undefined
          ? Infinity
          : integer('outboxLimits.ageMs', outboxLimits.ageMs, 1, Number.MAX_SAFE_INTEGER)
    },
    clock,
    random: options.random ?? Math.random
  }
}

/** The properties of a message that the options of `publish` and of a will have in common. */
export function messagePropertiesOf(options: PublishOptions): MessageProperties {
  const { expirySeconds, contentType, isUtf8, responseTopic, correlationData, userProperties } = options
  optionalInteger('expirySeconds', expirySeconds, 1, FOUR_BYTES_MAX)
  if (responseTopic !== undefined) checkTopic('responseTopic', responseTopic)
  if (contentType !== undefined) checkText('contentType', contentType)
  if (correlationData !== undefined) checkLength('correlationData', correlationData)
  checkUserProperties(userProperties)
  if (
    expirySeconds === undefined &&
    contentType === undefined &&
    isUtf8 === undefined &&
    responseTopic === undefined &&
    correlationData === undefined &&
    userProperties === undefined
  ) {
    return NO_PROPERTIES
  }
  return {
    payloadFormatIndicator: isUtf8 === true ? 1 : undefined,
    messageExpiryInterval: expirySeconds,
    contentType,
    responseTopic,
    correlationData: correlationData === undefined ? undefined : new Uint8Array(correlationData),
    userProperties
  }
}

/** @throws {ClientError} `invalid-argument` for what is not a Topic Name */
export function checkTopic(name: string, topicName: string): void {
  const reason = validateTopicName(topicName)
  if (reason !== undefined) throw invalid(`${name} ${JSON.stringify(topicName)} is not a Topic Name: ${reason}`)
}

/** @throws {ClientError} `invalid-argument` for what is not text as MQTT has it ([5.0 MQTT-1.5.4-1], [5.0 MQTT-1.5.4-2]) */
function checkText(name: string, text: string): void {
  if (!text.isWellFormed() || text.includes('\0')) throw invalid(`${name} must not hold U+0000 or half of a surrogate pair`)
  checkLength(name, encoder.encode(text))
}

/** @throws {ClientError} as `checkText` ([5.0 MQTT-1.5.7-1]) */
export function checkUserProperties(userProperties: readonly UserProperty[] = []): void {
  for (const [name, value] of userProperties) {
    checkText('The name of a User Property', name)
    checkText('The value of a User Property', value)
  }
}

/** Text and binary data have a length of two bytes. */
function checkLength(name: string, { byteLength }: Uint8Array): void {
  if (byteLength > TWO_BYTES_MAX) throw invalid(`${name} must not be longer than ${TWO_BYTES_MAX} bytes; it has ${byteLength}`)
}

/** @throws {ClientError} `invalid-argument` for what is not 0, 1 or 2 */
export function checkQoS(qos: QoS): void {
  integer('qos', qos, 0, 2)
}

export function invalid(message: string): ClientError {
  return new ClientError('invalid-argument', message)
}

export function integer(name: string, value: number, minimum: number, maximum: number): number {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return value
  throw invalid(`${name} must be an integer from ${minimum} to ${maximum}, not ${String(value)}`)
}

function optionalInteger(name: string, value: number | undefined, minimum: number, maximum: number): void {
  if (value !== undefined) integer(name, value, minimum, maximum)
}

interface ServerUrl {
  readonly href: string
  readonly userName: string | undefined
  readonly password: string | undefined
}

function checkedUrl(text: string): ServerUrl {
  if (text.startsWith('unix:')) return { href: text, userName: undefined, password: undefined }
  const url = URL.parse(text)
  // What is in it stays out of the error: it may hold a password.
  if (url === null) throw invalid('The URL cannot be read: it must look like mqtt://host, mqtts://host:8883 or wss://host/mqtt')
  if (!SCHEMES.has(url.protocol)) {
    throw invalid(`The scheme ${url.protocol} is not known: it must be mqtt, mqtts, ws, wss, unix, tcp or tls`)
  }
  const userName = url.username === '' ? undefined : decodeURIComponent(url.username)
  const password = url.password === '' ? undefined : decodeURIComponent(url.password)
  url.username = ''
  url.password = ''
  return { href: url.href, userName, password }
}

type Credentials = Pick<Settings, 'versions' | 'userName' | 'password'>

function credentialsOf(options: ClientOptions, url: ServerUrl): Credentials {
  const { protocolVersion = Version.Mqtt5, fallBack = false, authentication } = options
  const userName = options.userName ?? url.userName
  const given = options.password ?? url.password
  const password = typeof given === 'string' ? encoder.encode(given) : given
  checkText('userName', userName ?? '')
  if (password !== undefined) checkLength('password', password)
  const all = [Version.Mqtt5, Version.Mqtt311, Version.Mqtt31]
  const from = all.indexOf(protocolVersion)
  if (from < 0) throw invalid(`protocolVersion must be 5 (5.0), 4 (3.1.1) or 3 (3.1), not ${String(protocolVersion)}`)
  const versions = fallBack ? all.slice(from) : [protocolVersion]
  const hasOlder = versions.some((version) => version !== Version.Mqtt5)
  if (hasOlder && password !== undefined && userName === undefined) {
    throw invalid('A password needs a userName before 5.0')
  }
  if (hasOlder && authentication !== undefined) throw invalid('Enhanced authentication needs 5.0, without fallBack')
  return { versions, userName, password }
}

function willOf(will: WillOptions): Will {
  checkTopic('will.topic', will.topic)
  checkQoS(will.qos ?? 0)
  optionalInteger('will.delaySeconds', will.delaySeconds, 0, FOUR_BYTES_MAX)
  const payload = encodePayload(will.payload)
  checkLength('will.payload', payload)
  return {
    topicName: will.topic,
    payload,
    qos: will.qos ?? 0,
    retain: will.retain ?? false,
    properties: { ...messagePropertiesOf(will), willDelayInterval: will.delaySeconds }
  }
}
