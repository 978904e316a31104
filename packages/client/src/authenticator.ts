/**
 * Enhanced authentication ([5.0 4.12]): one object for each client, begun anew with each CONNECT and each re-authentication. Its methods
 * may return promises. What they throw ends the connection, as `authentication-failed`.
 */
export interface Authenticator {
  /** Authentication Method, the name that client and server agree on. */
  readonly method: string
  /** Authentication Data of CONNECT, or of the AUTH that re-authenticates; undefined: none. */
  begin(): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /** Answers an AUTH packet with Reason Code 0x18. */
  respond(data: Uint8Array | undefined): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /** Checks the Authentication Data of the CONNACK or AUTH that tells of success: here the server may have to prove itself. */
  finish(data: Uint8Array | undefined): void | Promise<void>
}
