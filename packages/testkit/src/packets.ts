import {
  type AcknowledgementProperties,
  type AuthenticateReasonCode,
  type AuthPacket,
  type AuthProperties,
  type ConnectPacket,
  type ConnectProperties,
  type DisconnectPacket,
  type DisconnectProperties,
  type DisconnectReasonCode,
  NO_PROPERTIES,
  PacketType,
  ProtocolVersion,
  type PubackPacket,
  type PubcompPacket,
  type PublishPacket,
  type PublishProperties,
  type PublishReasonCode,
  type PubrecPacket,
  type PubrelPacket,
  type QoS,
  ReasonCode,
  type ReleaseReasonCode,
  RetainHandling,
  type SubscribePacket,
  type SubscribeProperties,
  type UnsubscribePacket,
  type UnsubscribeProperties,
  type WillProperties
} from '@godwit/protocol'

/** A Will Message as a test writes it; what is left out is 0, false or absent. */
export interface WillOptions extends Omit<WillProperties, 'willDelayInterval'> {
  readonly topicName: string
  readonly payload?: string | Uint8Array
  readonly qos?: QoS
  readonly retain?: boolean
  readonly willDelaySeconds?: number | undefined
}

/** A CONNECT as a test writes it. */
export interface ConnectOptions extends Omit<ConnectProperties, 'sessionExpiryInterval'> {
  /** Default: 5. */
  readonly version?: ProtocolVersion
  readonly clientId?: string
  /** Clean Start, or Clean Session. Default: true. */
  readonly cleanStart?: boolean
  /** Default: 0. */
  readonly keepAliveSeconds?: number
  readonly sessionExpirySeconds?: number | undefined
  readonly will?: WillOptions | undefined
  readonly userName?: string | undefined
  readonly password?: string | Uint8Array | undefined
}

/** A PUBLISH as a test writes it. */
export interface PublishOptions extends PublishProperties {
  /** Default: 0. */
  readonly qos?: QoS
  readonly retain?: boolean
  readonly dup?: boolean
  /** Default: 0 at QoS 0, else 1. */
  readonly packetIdentifier?: number
}

/** Subscription Options as a test writes them; what is left out is 0 or false. */
export interface SubscriptionOptions {
  readonly qos?: QoS
  readonly noLocal?: boolean
  readonly retainAsPublished?: boolean
  readonly retainHandling?: RetainHandling
}

export function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : content
}

export function connect({
  version = ProtocolVersion.Mqtt5,
  clientId = '',
  cleanStart = true,
  keepAliveSeconds = 0,
  sessionExpirySeconds,
  will,
  userName,
  password,
  ...properties
}: ConnectOptions = {}): ConnectPacket {
  return {
    type: PacketType.Connect,
    protocolVersion: version,
    cleanStart,
    keepAliveSeconds,
    clientId,
    will: will === undefined ? undefined : willOf(will),
    userName,
    password: password === undefined ? undefined : bytesOf(password),
    properties: version === ProtocolVersion.Mqtt5 ? { ...properties, sessionExpiryInterval: sessionExpirySeconds } : NO_PROPERTIES
  }
}

function willOf({ topicName, payload = '', qos = 0, retain = false, willDelaySeconds, ...properties }: WillOptions) {
  return { topicName, payload: bytesOf(payload), qos, retain, properties: { ...properties, willDelayInterval: willDelaySeconds } }
}

export function publish(
  topicName: string,
  payload: string | Uint8Array = '',
  { qos = 0, retain = false, dup = false, packetIdentifier = qos === 0 ? 0 : 1, ...properties }: PublishOptions = {}
): PublishPacket {
  return { type: PacketType.Publish, topicName, payload: bytesOf(payload), qos, retain, dup, packetIdentifier, properties }
}

export function puback(
  packetIdentifier: number,
  reasonCode: PublishReasonCode = ReasonCode.Success,
  properties: AcknowledgementProperties = NO_PROPERTIES
): PubackPacket {
  return { type: PacketType.Puback, packetIdentifier, reasonCode, properties }
}

export function pubrec(
  packetIdentifier: number,
  reasonCode: PublishReasonCode = ReasonCode.Success,
  properties: AcknowledgementProperties = NO_PROPERTIES
): PubrecPacket {
  return { type: PacketType.Pubrec, packetIdentifier, reasonCode, properties }
}

export function pubrel(
  packetIdentifier: number,
  reasonCode: ReleaseReasonCode = ReasonCode.Success,
  properties: AcknowledgementProperties = NO_PROPERTIES
): PubrelPacket {
  return { type: PacketType.Pubrel, packetIdentifier, reasonCode, properties }
}

export function pubcomp(
  packetIdentifier: number,
  reasonCode: ReleaseReasonCode = ReasonCode.Success,
  properties: AcknowledgementProperties = NO_PROPERTIES
): PubcompPacket {
  return { type: PacketType.Pubcomp, packetIdentifier, reasonCode, properties }
}

/** Each request is a Topic Filter with its options, or the filter alone. */
export function subscribe(
  packetIdentifier: number,
  requests: readonly (string | readonly [topicFilter: string, options: SubscriptionOptions])[],
  properties: SubscribeProperties = NO_PROPERTIES
): SubscribePacket {
  const subscriptions = requests.map((request) => {
    const [topicFilter, options] = typeof request === 'string' ? ([request, {}] as const) : request
    const { qos = 0, noLocal = false, retainAsPublished = false, retainHandling = RetainHandling.SendAtSubscribe } = options
    return { topicFilter, qos, noLocal, retainAsPublished, retainHandling }
  })
  return { type: PacketType.Subscribe, packetIdentifier, subscriptions, properties }
}

export function unsubscribe(
  packetIdentifier: number,
  topicFilters: readonly string[],
  properties: UnsubscribeProperties = NO_PROPERTIES
): UnsubscribePacket {
  return { type: PacketType.Unsubscribe, packetIdentifier, topicFilters, properties }
}

export function disconnect(
  reasonCode: DisconnectReasonCode = ReasonCode.NormalDisconnection,
  properties: DisconnectProperties = NO_PROPERTIES
): DisconnectPacket {
  return { type: PacketType.Disconnect, reasonCode, properties }
}

export function auth(reasonCode: AuthenticateReasonCode, properties: AuthProperties = NO_PROPERTIES): AuthPacket {
  return { type: PacketType.Auth, reasonCode, properties }
}
