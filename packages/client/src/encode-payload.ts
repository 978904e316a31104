import { ClientError } from './client-error.ts'
import type { Payload } from './payload.ts'

const encoder = new TextEncoder()

/**
 * The bytes of a payload, which nobody else changes: bytes are copied.
 *
 * @throws {ClientError} `invalid-argument` for what has no JSON: a function, a cycle, a bigint
 */
export function encodePayload(payload: Payload): Uint8Array {
  if (typeof payload === 'string') return encoder.encode(payload)
  if (payload instanceof Uint8Array) return new Uint8Array(payload)
  if (payload instanceof ArrayBuffer) return new Uint8Array(payload.slice(0))
  if (ArrayBuffer.isView(payload)) {
    return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength).slice()
  }
  return encoder.encode(toJson(payload))
}

function toJson(payload: Payload): string {
  let json: string | undefined
  try {
    json = JSON.stringify(payload)
  } catch (error) {
    throw new ClientError('invalid-argument', 'The payload cannot be written as JSON', { cause: error })
  }
  if (json === undefined) {
    throw new ClientError('invalid-argument', 'The payload must be a string, bytes, or something that JSON can express')
  }
  return json
}
