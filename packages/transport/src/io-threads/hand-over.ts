import assert from 'node:assert'
import type { PeerAddress } from '../peer-address.ts'
import type { TransportKind, TransportPeer } from '../transport.ts'
import { IO_THREAD_CONNECTIONS_MAX, RING_BYTES } from '../transport-limits.ts'
import { makeByteRing } from './byte-ring.ts'

/** Records from the engine to a thread. */
export const ToThread = {
  /** Bytes to send. */
  Write: 1,
  Cork: 2,
  Uncork: 3,
  Pause: 4,
  Resume: 5,
  End: 6,
  Destroy: 7,
  /** To be answered with `Drained` once everything written so far has been taken. */
  TellDrained: 8,
  /** The engine has been told of the close: the number is free for another connection. */
  Release: 9
} as const

/** Records from a thread to the engine. */
export const ToEngine = {
  /** A connection that is ready to carry MQTT; the payload is an `OpenedConnection`. */
  Opened: 1,
  /** Bytes received. */
  Data: 2,
  Drained: 3,
  /** Nothing follows for the connection; the payload is a `ConnectionError`, or empty. */
  Closed: 4,
  /** A connection that has failed before it was opened; the payload is a `FailedConnection`, and the number means nothing. */
  Failed: 5,
  /** There is room again for records to the thread. */
  Room: 6
} as const

export interface OpenedConnection {
  readonly listener: number
  readonly kind: TransportKind
  readonly peer: TransportPeer
}

export interface FailedConnection extends ConnectionError {
  readonly listener: number
  readonly peer: PeerAddress
}

export interface ConnectionError {
  readonly message: string
  readonly code?: string | undefined
}

/** What a thread and the engine have in common. */
export interface SharedMemory {
  readonly toThread: SharedArrayBuffer
  readonly toEngine: SharedArrayBuffer
  readonly progress: SharedArrayBuffer
}

/** Memory is taken from the system as it is touched, so an idle thread takes little of this. */
export function shareMemory(ringBytes: number = RING_BYTES, connectionsMax: number = IO_THREAD_CONNECTIONS_MAX): SharedMemory {
  return {
    toThread: makeByteRing(ringBytes),
    toEngine: makeByteRing(ringBytes),
    progress: new SharedArrayBuffer(connectionsMax * PROGRESS_WORDS * 4)
  }
}

const PROGRESS_WORDS = 2

/**
 * How far a thread has come with what the engine has written, for each of its connections: the thread writes it, the engine
 * reads it. A reader may see one of the two words a moment before the other, and is right again a moment later.
 */
export class Progress {
  readonly #words: Int32Array<SharedArrayBuffer>

  constructor({ progress }: SharedMemory) {
    this.#words = new Int32Array(progress)
  }

  get connectionsMax(): number {
    return this.#words.length / PROGRESS_WORDS
  }

  begin(connection: number): void {
    this.#words[connection * PROGRESS_WORDS] = 0
    this.#words[connection * PROGRESS_WORDS + 1] = 0
  }

  /** Bytes that the thread has given to the transport since the connection was opened, modulo 2^32. */
  handledBytes(connection: number): number {
    return this.#words[connection * PROGRESS_WORDS] ?? 0
  }

  /** Bytes of these that the operating system has not taken yet. */
  heldBytes(connection: number): number {
    return this.#words[connection * PROGRESS_WORDS + 1] ?? 0
  }

  handled(connection: number, bytes: number): void {
    this.#words[connection * PROGRESS_WORDS] = this.handledBytes(connection) + bytes
  }

  hold(connection: number, bytes: number): void {
    this.#words[connection * PROGRESS_WORDS + 1] = bytes
  }
}

export const NO_PAYLOAD: Uint8Array = new Uint8Array(0)

export function encodeJson(value: OpenedConnection | FailedConnection | ConnectionError): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

export function decodeOpened(payload: Buffer): OpenedConnection {
  const value: unknown = JSON.parse(payload.toString())
  assert(isOpened(value))
  return value
}

export function decodeFailed(payload: Buffer): FailedConnection {
  const value: unknown = JSON.parse(payload.toString())
  assert(isFailed(value))
  return value
}

/** The error that a connection was closed with; undefined: it was closed in order. */
export function decodeClosed(payload: Buffer): Error | undefined {
  if (payload.length === 0) return undefined
  const value: unknown = JSON.parse(payload.toString())
  assert(isConnectionError(value))
  return sentError(value)
}

// Both sides are of one build: what is looked at here tells one kind of record from another.

function isOpened(value: unknown): value is OpenedConnection {
  return typeof value === 'object' && value !== null && 'listener' in value && 'kind' in value && 'peer' in value
}

function isFailed(value: unknown): value is FailedConnection {
  return isConnectionError(value) && 'listener' in value && 'peer' in value
}

function isConnectionError(value: unknown): value is ConnectionError {
  return typeof value === 'object' && value !== null && 'message' in value
}

/** Errors keep their message and code on the way. */
export function errorToSend(error: Error): ConnectionError {
  return { message: error.message, code: 'code' in error && typeof error.code === 'string' ? error.code : undefined }
}

export function sentError({ message, code }: ConnectionError): Error {
  return code === undefined ? new Error(message) : Object.assign(new Error(message), { code })
}
