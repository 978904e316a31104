import { type ConnectPacket, NO_PROPERTIES, PacketType, ProtocolVersion } from '@godwit/protocol'
import { DURABLE_SESSION_EXPIRY_SECONDS, SESSION_EXPIRY_SECONDS } from './limits.ts'
import type { Settings } from './settings.ts'

/** What a client has of its session. */
export interface SessionWish {
  /** There was no connection yet, in this process or, with a durable outbox, in an earlier one. */
  isNew: boolean
  /** There was no connection yet in this process. */
  isFirst: boolean
  /** The outbox is durable, and with it our half of the session. */
  readonly isDurable: boolean
}

export function connectPacketOf(
  settings: Settings,
  protocolVersion: ProtocolVersion,
  clientId: string,
  session: SessionWish,
  authenticationData: Uint8Array | undefined
): ConnectPacket {
  const { options, receiveMaximum, maximumPacketSize, topicAliasMaximum } = settings
  const isMqtt5 = protocolVersion === ProtocolVersion.Mqtt5
  return {
    type: PacketType.Connect,
    protocolVersion,
    cleanStart: isMqtt5 ? session.isFirst && (options.cleanStart ?? session.isNew) : isCleanBefore5(settings, session, clientId),
    keepAliveSeconds: settings.keepAliveSeconds,
    clientId,
    will: settings.will,
    userName: settings.userName,
    password: settings.password,
    properties: isMqtt5
      ? {
          sessionExpiryInterval: sessionExpirySecondsOf(settings, session),
          receiveMaximum,
          maximumPacketSize,
          topicAliasMaximum,
          requestResponseInformation: options.responseTopicPrefix === undefined ? true : undefined,
          userProperties: options.userProperties,
          authenticationMethod: options.authentication?.method,
          authenticationData
        }
      : NO_PROPERTIES
  }
}

/** Whether we ask the server to begin a new session. */
export function isCleanSession({ cleanStart }: ConnectPacket): boolean {
  return cleanStart
}

/** The Session Expiry Interval of a DISCONNECT; undefined: it stays as it is. */
export function sessionExpiryOf(settings: Settings, session: SessionWish, wished: number | undefined): number | undefined {
  const current = sessionExpirySecondsOf(settings, session)
  // [5.0 3.14.2.2.2]: a session that was to end with its connection cannot be prolonged.
  if (wished !== undefined) return current === 0 ? undefined : wished
  return settings.options.sessionExpirySeconds === undefined && !session.isDurable ? 0 : undefined
}

function sessionExpirySecondsOf({ options }: Settings, { isDurable }: SessionWish): number {
  return options.sessionExpirySeconds ?? (isDurable ? DURABLE_SESSION_EXPIRY_SECONDS : SESSION_EXPIRY_SECONDS)
}

/**
 * Before 5.0 a session that is not clean stays for ever, so it has to be asked for: by its expiry, by `cleanStart: false`, or by an outbox that
 * stays as well.
 */
function isCleanBefore5({ options }: Settings, { isFirst, isDurable }: SessionWish, clientId: string): boolean {
  // [3.1.1 MQTT-3.1.3-7]
  if (options.sessionExpirySeconds === 0 || clientId === '') return true
  if (options.cleanStart !== undefined && isFirst) return options.cleanStart
  return options.sessionExpirySeconds === undefined && !isDurable && options.cleanStart !== false
}
