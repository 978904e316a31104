import { type ErrorReasonCode, reasonCodeName } from '@godwit/protocol'

/** What can go wrong, as an application tells cases apart. */
export type ClientErrorCode =
  /** An argument or option is not what is accepted. */
  | 'invalid-argument'
  /** The network did not get us to a server: unknown host, refused, timed out, TLS. */
  | 'unreachable'
  /** The server refused CONNECT; `reasonCode` tells why. */
  | 'connection-refused'
  /** The connection ended while something depended on it. */
  | 'connection-lost'
  /** The server ended the connection with a DISCONNECT; `reasonCode` tells why. */
  | 'disconnected-by-server'
  /** Nothing was heard from the server for too long. */
  | 'keep-alive-timeout'
  /** The server broke the protocol. */
  | 'protocol-error'
  /** Enhanced authentication failed on our side: the server did not prove what it should. */
  | 'authentication-failed'
  /** The server refused this PUBLISH, SUBSCRIBE or UNSUBSCRIBE; `reasonCode` tells why. */
  | 'refused'
  /** The server does not offer this: QoS, retain, wildcards, shared subscriptions, or all that 3.1.1 lacks. */
  | 'not-supported'
  /** The message is larger than the server's Maximum Packet Size. */
  | 'packet-too-large'
  /** The message expired before it could be sent. */
  | 'message-expired'
  /** There is no room in the outbox and it was asked to refuse. */
  | 'outbox-full'
  /** A newer message took its place in a full outbox that was asked to drop the oldest. */
  | 'outbox-dropped'
  /** The outbox cannot be opened, or cannot store. */
  | 'outbox-failed'
  /** A request got no reply in time. */
  | 'timeout'
  /** A request reached nobody. */
  | 'no-responders'
  /** The signal was aborted. */
  | 'aborted'
  /** The client is closed, or was closed meanwhile. */
  | 'client-closed'

export interface ClientErrorOptions extends ErrorOptions {
  readonly reasonCode?: ErrorReasonCode | undefined
  readonly serverReference?: string | undefined
}

/** The only error that a client gives. Its message is one line, for people, and holds no secret. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: ClientErrorCode
  /** What the server said, if it said anything. */
  readonly reasonCode: ErrorReasonCode | undefined
  /** Where the server says that we should go: a name or an address, perhaps several, separated by spaces ([5.0 4.11]). */
  readonly serverReference: string | undefined

  constructor(code: ClientErrorCode, message: string, options: ClientErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.reasonCode = options.reasonCode
    this.serverReference = options.serverReference
  }
}

/** `Not authorized (0x87): no rule allows it`, for the message of an error. */
export function describeReason(reasonCode: ErrorReasonCode, reasonString: string | undefined): string {
  const code = `${reasonCodeName(reasonCode)} (0x${reasonCode.toString(16).padStart(2, '0')})`
  return reasonString === undefined || reasonString === '' ? code : `${code}: ${reasonString}`
}

export function abortedError(signal: AbortSignal | undefined): ClientError {
  return new ClientError('aborted', 'The signal was aborted', { cause: signal?.reason })
}

/** @throws {ClientError} `aborted` */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError(signal)
}

export function closedError(): ClientError {
  return new ClientError('client-closed', 'The client is closed')
}
