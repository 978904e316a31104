import {
  type AuthPacket,
  type ConnackPacket,
  type ConnectPacket,
  ConnectReturnCode,
  type DisconnectPacket,
  type ErrorReasonCode,
  MqttError,
  type Packet,
  PacketType,
  ProtocolVersion,
  ReasonCode
} from '@godwit/protocol'
import type { Transport } from '@godwit/transport/browser'
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
  const connection = new Connection(
    transport,
    { protocolVersion, maximumPacketSize, clock },
    {
      onPacket: (packet) => onPacket(packet),
      onDrain: () => undefined,
      onClose: (error) => reject(error ?? new ClientError('connection-lost', 'The connection was closed before CONNACK'))
    }
  )
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
      if (refusal !== undefined) {
        fail(refusal)
        return
      }
      checkAcceptance(packet, connect)
      if (authenticator === undefined) {
        resolve(onAccepted({ connection, connack: packet }))
      } else {
        connection.pause()
        authenticates(
          finishAuthentication(authenticator, packet).then(() => {
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
  } catch (error) {
    if (error instanceof ClientError) connection.fail(error)
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** What no server may say to the CONNECT that it accepts. */
function checkAcceptance({ sessionPresent, properties }: ConnackPacket, { cleanStart, properties: wished }: ConnectPacket): void {
  // [5.0 MQTT-3.2.2-2], [5.0 MQTT-3.2.2-4]
  if (sessionPresent && cleanStart) {
    throw new MqttError(ReasonCode.ProtocolError, 'The server says that it has a session which we asked it to discard')
  }
  // [5.0 MQTT-4.12.0-6]
  if (wished.authenticationMethod === undefined && properties.authenticationMethod !== undefined) {
    throw new MqttError(ReasonCode.ProtocolError, 'The server named an Authentication Method, and we had not')
  }
}

/** Answers an AUTH with Reason Code 0x18 ([5.0 4.12]), of a first authentication or of another. */
export async function answerAuth(connection: Connection, authenticator: Authenticator, packet: AuthPacket): Promise<void> {
  const { authenticationMethod, authenticationData } = packet.properties
  checkMethod(authenticator, authenticationMethod)
  // [5.0 3.15.2.1]: the other two are the client's to begin, and for the end.
  if (packet.reasonCode !== ReasonCode.ContinueAuthentication) {
    throw new ClientError('authentication-failed', 'The server sent an AUTH where it may not')
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

/** The server tells of success: it may have to prove itself first. */
export async function finishAuthentication(authenticator: Authenticator, packet: ConnackPacket | AuthPacket): Promise<void> {
  const { authenticationMethod, authenticationData } = packet.properties
  checkMethod(authenticator, authenticationMethod)
  await authenticator.finish(authenticationData)
}

/** [5.0 MQTT-4.12.0-5]: a server that leaves the method out would otherwise be one that need not prove anything. */
function checkMethod(authenticator: Authenticator, method: string | undefined): void {
  if (method === authenticator.method) return
  throw new ClientError('authentication-failed', `The server changed the Authentication Method to ${method ?? 'none'}`)
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
