import type { SequenceNumber } from '../outbox-store.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { damaged, OutboxFailure } from './outbox-failure.ts'

/**
 * What the file holds: one table, ordered by its keys' bytes, each a kind and a number of 64 bits.
 *
 * ```
 * format              → the word `godwit-outbox`, FORMAT_VERSION
 * state               → the number above all, how many messages there are and what they count, the Client Identifier if it is set
 * received identifier → nothing
 * released sequence   → nothing: PUBREC has come for this message since it was stored
 * message sequence    → see message-codec.ts
 * ```
 * Messages come last, so that a new one goes to the end of the table.
 */
export const RecordKind = { Format: 0x10, State: 0x20, Received: 0x30, Released: 0x40, Message: 0x50 } as const
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind]

/** Raised whenever what is below can no longer read what an earlier version wrote. */
const FORMAT_VERSION = 1
const FORMAT_NAME = 'godwit-outbox'

export const KEY_LENGTH = 9

export function recordKey(kind: RecordKind, number: number = 0): Buffer {
  const key = Buffer.allocUnsafe(KEY_LENGTH)
  key[0] = kind
  key.writeUInt32BE(Math.floor(number / 2 ** 32), 1)
  key.writeUInt32BE(number % 2 ** 32, 5)
  return key
}

/** Between the keys of the numbers above one. */
export function keysAbove(kind: RecordKind, number: number = -1): { readonly start: Buffer; readonly end: Buffer } {
  return { start: recordKey(kind, number + 1), end: Buffer.of(kind + 1) }
}

export function numberOfKey(key: Buffer): number {
  if (key.length !== KEY_LENGTH) throw damaged('it has a key of another length')
  return key.readUInt32BE(1) * 2 ** 32 + key.readUInt32BE(5)
}

export interface OutboxState {
  clientId: string | undefined
  nextSequence: SequenceNumber
  messages: number
  bytes: number
}

export const NEW_STATE: OutboxState = { clientId: undefined, nextSequence: 1, messages: 0, bytes: 0 }

export function encodeState({ clientId, nextSequence, messages, bytes }: OutboxState): Uint8Array {
  const writer = new ByteWriter()
  for (const number of [nextSequence, messages, bytes]) writer.varint(number)
  writer.byte(clientId === undefined ? 0 : 1)
  if (clientId !== undefined) writer.text(clientId)
  return writer.finish()
}

export function decodeState(value: Uint8Array | undefined): OutboxState {
  if (value === undefined) throw damaged('it does not say how much it holds')
  const reader = new ByteReader(value)
  const [nextSequence, messages, bytes] = [reader.varint(), reader.varint(), reader.varint()]
  return { nextSequence, messages, bytes, clientId: reader.byte() === 0 ? undefined : reader.text() }
}

export function encodeFormat(): Uint8Array {
  const writer = new ByteWriter()
  writer.text(FORMAT_NAME)
  writer.varint(FORMAT_VERSION)
  return writer.finish()
}

/** @throws {OutboxFailure} unless the file holds an outbox that this version can read */
export function checkFormat(folder: string, value: Uint8Array | undefined): void {
  const other = new OutboxFailure(
    `${folder} holds something other than an outbox of Godwit's client: give the outbox a folder of its own`
  )
  if (value === undefined) throw other
  const reader = new ByteReader(value)
  if (reader.text() !== FORMAT_NAME) throw other
  const version = reader.varint()
  if (version > FORMAT_VERSION) {
    throw new OutboxFailure(
      `${folder} holds an outbox of format ${version}, which a later version wrote; this version reads format ${FORMAT_VERSION}`
    )
  }
}
