import { type AuthPacket, MqttError, PacketType, ReasonCode } from '@godwit/protocol'
import type { Authenticator } from './authenticator.ts'
import { ClientError } from './client-error.ts'
import type { Connection } from './connection.ts'
import { answerAuth, authenticationFailed, finishAuthentication } from './handshake.ts'

/** Authentication anew, on a connection that goes on meanwhile ([5.0 4.12.1]). One at a time. */
export class Reauthentication {
  readonly #authenticator: Authenticator | undefined
  readonly #onAwaited: () => void
  #begun: PromiseWithResolvers<void> | undefined = undefined

  /** @param onAwaited called when an answer is awaited, and when it is not any more */
  constructor(authenticator: Authenticator | undefined, onAwaited: () => void) {
    this.#authenticator = authenticator
    this.#onAwaited = onAwaited
  }

  /** An answer is. */
  get isAwaited(): boolean {
    return this.#begun !== undefined
  }

  /**
   * Resolves once the server has said that it succeeded; joins the one that is under way.
   *
   * @throws {ClientError} `authentication-failed`, `connection-lost`, or `invalid-argument` without an authenticator
   */
  async begin(connection: Connection | undefined): Promise<void> {
    const authenticator = this.#authenticator
    if (authenticator === undefined) throw new ClientError('invalid-argument', 'The client has no `authentication` to repeat')
    if (connection === undefined) throw new ClientError('connection-lost', 'There is no connection to authenticate on')
    if (this.#begun !== undefined) {
      await this.#begun.promise
      return
    }
    const begun: PromiseWithResolvers<void> = Promise.withResolvers()
    this.#begun = begun
    this.#onAwaited()
    // The connection may be lost while the authenticator is at work.
    begun.promise.catch(() => undefined)
    try {
      const authenticationData = await authenticator.begin()
      const properties = { authenticationMethod: authenticator.method, authenticationData }
      connection.send({ type: PacketType.Auth, reasonCode: ReasonCode.ReAuthenticate, properties })
      await begun.promise
    } catch (error) {
      throw fail(connection, begun, error)
    } finally {
      this.#begun = undefined
      this.#onAwaited()
    }
  }

  onAuth(connection: Connection, packet: AuthPacket): void {
    const authenticator = this.#authenticator
    const begun = this.#begun
    if (authenticator === undefined || begun === undefined) {
      throw new MqttError(ReasonCode.ProtocolError, 'The server sent an AUTH that nobody asked for')
    }
    const step =
      packet.reasonCode === ReasonCode.Success
        ? finishAuthentication(authenticator, packet).then(begun.resolve)
        : answerAuth(connection, authenticator, packet)
    step.catch((error: unknown) => void fail(connection, begun, error))
  }

  disconnected(error: ClientError): void {
    this.#begun?.reject(error)
  }
}

function fail(connection: Connection, begun: PromiseWithResolvers<void>, error: unknown): ClientError {
  const failure = authenticationFailed(error)
  begun.reject(failure)
  connection.fail(failure)
  return failure
}
