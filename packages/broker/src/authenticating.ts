import { type AuthPacket, type ConnectPacket, MqttError, PacketType, ReasonCode } from '@godwit/protocol'
import { acceptIfAllowed, refuse } from './accept-client.ts'
import type { AuthenticationStep, ConnectRequest, EnhancedAuthentication } from './access.ts'
import type { Connection } from './connection.ts'
import { isPromise } from './maybe-promise.ts'
import type { Timer } from './timers.ts'

/** An enhanced authentication exchange that is going on ([5.0 4.12]). */
export interface Authenticating {
  readonly method: string
  readonly exchange: EnhancedAuthentication
  /** The CONNECT that waits for its answer; undefined: the client re-authenticates. */
  readonly connect: ConnectPacket | undefined
  readonly request: ConnectRequest
  /** Ends a re-authentication whose client falls silent. */
  readonly timer: Timer
}

/** Begins the exchange that a CONNECT asks for. */
export function beginAuthentication(
  connection: Connection,
  connect: ConnectPacket,
  request: ConnectRequest,
  method: string
): void {
  begin(connection, method, request, connect, connect.properties.authenticationData)
}

/** Begins the exchange that an AUTH with Re-authenticate asks for ([5.0 4.12.1]). */
export function beginReauthentication(connection: Connection, request: ConnectRequest, method: string, packet: AuthPacket): void {
  begin(connection, method, request, undefined, packet.properties.authenticationData)
}

/** The client's answer to the last step. */
export function continueAuthentication(connection: Connection, authenticating: Authenticating, packet: AuthPacket): void {
  step(connection, authenticating, packet.properties.authenticationData)
}

function begin(
  connection: Connection,
  method: string,
  request: ConnectRequest,
  connect: ConnectPacket | undefined,
  data: Uint8Array | undefined
): void {
  const { engine } = connection
  const exchange = engine.access.enhancedAuthentication?.(method, request)
  // [5.0 MQTT-4.12.0-1]
  if (exchange === undefined) {
    throw new MqttError(ReasonCode.BadAuthenticationMethod, `the Authentication Method ${method} is not supported`)
  }
  const timer = engine.timers.create(() => {
    connection.close({ reasonCode: ReasonCode.NotAuthorized, reason: 're-authentication was not finished in time' })
  })
  const authenticating: Authenticating = { method, exchange, connect, request, timer }
  connection.authenticating = authenticating
  step(connection, authenticating, data)
}

function step(connection: Connection, authenticating: Authenticating, data: Uint8Array | undefined): void {
  const next = authenticating.exchange.next(data)
  if (isPromise(next)) connection.hold(next, (known) => take(connection, authenticating, known))
  else take(connection, authenticating, next)
}

function take(connection: Connection, authenticating: Authenticating, next: AuthenticationStep): void {
  const { engine } = connection
  const { method, connect, request, timer } = authenticating
  if (next.status === 'continue') {
    // [5.0 MQTT-4.12.0-2]; a CONNECT has its own timeout
    sendAuth(connection, ReasonCode.ContinueAuthentication, method, next.data)
    if (connect === undefined) engine.timers.set(timer, engine.clock.now() + engine.limits.authenticationTimeoutSeconds * 1000)
    return
  }
  connection.authenticating = undefined
  engine.timers.clear(timer)
  if (!next.accepted) refuse(connection, next)
  else if (connect === undefined) sendAuth(connection, ReasonCode.Success, method, next.data)
  else acceptIfAllowed(connection, connect, request, next, next.data)
}

function sendAuth(
  connection: Connection,
  reasonCode: typeof ReasonCode.Success | typeof ReasonCode.ContinueAuthentication,
  authenticationMethod: string,
  authenticationData: Uint8Array | undefined
): void {
  connection.sender.sendNow({ type: PacketType.Auth, reasonCode, properties: { authenticationMethod, authenticationData } })
}
