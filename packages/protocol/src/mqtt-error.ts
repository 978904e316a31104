import type { ErrorReasonCode } from './reason-codes.ts'

/**
 * What went wrong with a connection, in the protocol's terms. Thrown by the codec and by protocol code, caught once
 * per connection, where it becomes a CONNACK or DISCONNECT with its reason code (5.0), a return code where one fits
 * (3.1, 3.1.1, before CONNACK), or just the close of the network connection.
 */
export class MqttError extends Error {
  override readonly name = 'MqttError'
  /** A Reason Code of 0x80 or above. */
  readonly reasonCode: ErrorReasonCode

  /** @param message what was wrong, for people: it becomes the Reason String, so it must not hold secrets */
  constructor(reasonCode: ErrorReasonCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reasonCode = reasonCode
  }
}
