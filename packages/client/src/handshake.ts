import {
  type AuthPacket,
  type ConnackPacket,
  type ConnectPacket,
  ConnectReturnCode,
  type DisconnectPacket,
  type ErrorReasonCode,
  MqttError,
  NO_PROPERTIES,
  type Packet,
  PacketType,
  ProtocolVersion,
  ReasonCode
} from '@godwit/protocol'
import type { Transport } from '@godwit/transport'
import type { Authenticator } from './authenticator.ts'
import { ClientError, describeReason } from './client-error.ts'
import type { Clock } from './clock.ts'
import { Connection } from './connection.ts'

export interface HandshakeOptions {
  readonly connect: ConnectPacket
  readonly authenticator: Authenticator | undefined
  readonly maximumPacketSize: number
  readonly clock: Clock
  /** Aborted when it takes too long, or is not wanted any more. */
  readonly signal: AbortSignal
}

/** A connection that the server has accepted. Whoever takes it sets its receiver before this turn ends. */
export interface Accepted {
  readonly connection: Connection
  readonly connack: ConnackPacket
}

/**
 * Sends CONNECT and waits for CONNACK ([5.0 3.1], [5.0 3.2]), with the exchange of AUTH packets of enhanced authentication in between
 * ([5.0 4.12]). `onAccepted` is called within the packet's own turn, so that what follows CONNACK in the same chunk finds its receiver.
 * Rejects with a `ClientError`, with the connection closed.
 */
export async function shakeHands<Result>(
  transport: Transport,
  options: HandshakeOptions,
  onAccepted: (accepted: Accepted) => Result
): Promise<Result> {
  const { connect, authenticator, maximumPacketSize, clock, signal } = options
  const { protocolVersion } = connect
  const { promise, resolve, reject } = Promise.withResolvers<Result>()
  const connection = new Connection(transport, { protocolVersion, maximumPacketSize, clock }, {
    onPacket: (packet) => onPacket(packet),
    onDrain: () => undefined,
    onClose: (error) => reject(error ?? new ClientError('connection-lost', 'The connection was closed before CONNACK'))
  })
  const fail = (error: ClientError): void => {
    reject(error)
    connection.fail(error)
  }
  const authenticates = (step: Promise<void>): void => {
    step.catch((error: unknown) => fail(authenticationFailed(error)))
  }
  const onPacket = (packet: Packet): void => {
    if (packet.type === PacketType.Connack) {
      const refusal = refusalOf(packet, protocolVersion)
      if (refusal !== undefined) fail(refusal)
      else if (authenticator === undefined || packet.properties.authenticationMethod === undefined) {
        resolve(onAccepted({ connection, connack: packet }))
      } else {
        connection.pause()
        authenticates(
          finished(authenticator, packet).then(() => {
            resolve(onAccepted({ connection, connack: packet }))
            connection.resume()
          })
        )
      }
    } else if (packet.type === PacketType.Auth && authenticator !== undefined) {
      authenticates(answerAuth(connection, authenticator, packet))
    } else if (packet.type === PacketType.Disconnect) {
      fail(disconnectError(packet))
    } else {
      // [5.0 MQTT-3.2.0-1], [3.1.1 MQTT-3.2.0-1]
      throw new MqttError(ReasonCode.ProtocolError, 'The first packet of the server was not CONNACK')
    }
  }
  const onAbort = (): void => fail(new ClientError('unreachable', 'The server has not answered CONNECT in time'))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    if (signal.aborted) onAbort()
    else connection.send(connect)
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Answers an AUTH with Reason Code 0x18 ([5.0 4.12]), of a first authentication or of another. */
export async function answerAuth(connection: Connection, authenticator: Authenticator, packet: AuthPacket): Promise<void> {
  const { authenticationMethod, authenticationData } = packet.properties
  // [5.0 MQTT-4.12.0-5]
  if (authenticationMethod !== authenticator.method) {
    throw new ClientError('authentication-failed', `The server changed the Authentication Method to ${authenticationMethod ?? 'none'}`)
  }
  const data = await authenticator.respond(authenticationData)
  connection.send({
    type: PacketType.Auth,
    reasonCode: ReasonCode.ContinueAuthentication,
    properties: { authenticationMethod, authenticationData: data }
  })
}

/** Whatever an authenticator throws, as what an application is told; its message is the authenticator's. */
export function authenticationFailed(error: unknown): ClientError {
  if (error instanceof ClientError) return error
  const message = error instanceof Error ? error.message : 'The authenticator has failed'
  return new ClientError('authentication-failed', message, { cause: error })
}

async function finished(authenticator: Authenticator, packet: ConnackPacket): Promise<void> {
  await authenticator.finish(packet.properties.authenticationData)
}

/** A DISCONNECT from the server ([5.0 3.14]). */
export function disconnectError({ reasonCode, properties }: DisconnectPacket): ClientError {
  if (!isFailure(reasonCode)) return new ClientError('connection-lost', 'The server disconnected us')
  const message = `The server disconnected us: ${describeReason(reasonCode, properties.reasonString)}`
  return new ClientError('disconnected-by-server', message, { reasonCode, serverReference: properties.serverReference })
}

function refusalOf({ reasonCode, properties }: ConnackPacket, version: ProtocolVersion): ClientError | undefined {
  if (reasonCode === 0) return undefined
  const code = version === ProtocolVersion.Mqtt5 ? reasonCode : RETURN_CODES[reasonCode]
  if (code === undefined || !isFailure(code)) return new ClientError('connection-refused', 'The server refused the connection')
  const message = `The server refused the connection: ${describeReason(code, properties.reasonString)}`
  return new ClientError('connection-refused', message, {
    reasonCode: code,
    serverReference: properties.serverReference
  })
}

/** Reason Codes for the Connect Return codes of 3.1 and 3.1.1 ([3.1.1 3.2.2.3]). */
const RETURN_CODES: Readonly<Record<number, ErrorReasonCode>> = {
  [ConnectReturnCode.UnacceptableProtocolVersion]: ReasonCode.UnsupportedProtocolVersion,
  [ConnectReturnCode.IdentifierRejected]: ReasonCode.ClientIdentifierNotValid,
  [ConnectReturnCode.ServerUnavailable]: ReasonCode.ServerUnavailable,
  [ConnectReturnCode.BadUserNameOrPassword]: ReasonCode.BadUserNameOrPassword,
  [ConnectReturnCode.NotAuthorized]: ReasonCode.NotAuthorized
}

const FAILURES: ReadonlySet<number> = new Set(Object.values(ReasonCode).filter((code) => code >= 0x80))

export function isFailure(reasonCode: number): reasonCode is ErrorReasonCode {
  return FAILURES.has(reasonCode)
}

/** Empty before 5.0. */
export function propertiesFor<Properties>(version: ProtocolVersion, properties: Properties): Properties | typeof NO_PROPERTIES {
  return version === ProtocolVersion.Mqtt5 ? properties : NO_PROPERTIES
}
