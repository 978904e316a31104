import type { Backlog, LogEntry, QueueId } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'
import { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { readIndexEntry, readLogQueues } from './layout.ts'
import { readMessage } from './message-codec.ts'
import { damaged } from './store-error.ts'

// Messages that follow one another in a queue, and that no other queue holds, are kept together where they come to the
// tables together: a run. The log has their bodies under the sequence number of the first, the index tells of them under
// that of the last: so what comes after a place in a queue begins in the run that is found there, and the bodies of later
// runs come later.
//
//   index  => 0x02  messages_before  bytes_before  messages  bodies_at (48 bits)  { sequence  bytes } ...
//   log    => 0x00  { sequence  length  queues  message } ...
//
// A sequence is what it adds to the one before, at first to the key of the bodies. A message by itself is told of as in
// layout.ts, which begins otherwise: with 0x00 or 0x01 in the index, and not with 0x00 in the log, where it is in some queue.

/** With its key it fills half a page of LMDB: what is larger gets pages of its own, which have to follow one another. */
export const RUN_BYTES_MAX = 2_000

/** Bounds what the index tells of a run. */
export const RUN_MESSAGES_MAX = 32

const RUN = 0x02
const BODIES = 0x00

export interface RunMessage {
  readonly sequence: SequenceNumber
  /** What it measures. */
  readonly bytes: number
}

/** What the index tells in one place of a queue. */
export interface IndexRun {
  /** No other queue holds the messages. */
  readonly isOnly: boolean
  readonly messagesBefore: number
  readonly bytesBefore: number
  /** The key of their bodies in the log. */
  readonly bodiesAt: SequenceNumber
  /** Its key in the index: the last of its messages. */
  readonly last: SequenceNumber
  /** One at least. */
  readonly messages: readonly RunMessage[]
}

export function writeIndexRun(writer: ByteWriter, { messagesBefore, bytesBefore, bodiesAt, messages }: IndexRun): void {
  writer.byte(RUN)
  writer.varint(messagesBefore)
  writer.varint(bytesBefore)
  writer.varint(messages.length)
  writer.uint48(bodiesAt)
  let before = bodiesAt
  for (const { sequence, bytes } of messages) {
    writer.varint(sequence - before)
    writer.varint(bytes)
    before = sequence
  }
}

/** @param last the key that it has in its queue */
export function readIndexRun(last: SequenceNumber, value: Uint8Array): IndexRun {
  if (value[0] !== RUN) {
    const { bytes, ...rest } = readIndexEntry(value)
    return { ...rest, bodiesAt: last, last, messages: [{ sequence: last, bytes }] }
  }
  const reader = new ByteReader(value)
  reader.byte()
  const messagesBefore = reader.varint()
  const bytesBefore = reader.varint()
  const count = reader.varint()
  const bodiesAt = reader.uint48()
  const messages: RunMessage[] = []
  let sequence = bodiesAt
  for (let left = count; left > 0; left--) {
    sequence += reader.varint()
    messages.push({ sequence, bytes: reader.varint() })
  }
  if (sequence !== last || count === 0) throw damaged(`a run of messages that ends with ${sequence}`)
  return { isOnly: true, messagesBefore, bytesBefore, bodiesAt, last, messages }
}

/** What its queue held up to and including a sequence number within it, in messages and bytes. */
export function heldThrough({ messagesBefore, bytesBefore, messages }: IndexRun, through: SequenceNumber): Backlog {
  const held = { messages: messagesBefore, bytes: bytesBefore }
  for (const { sequence, bytes } of messages) {
    if (sequence > through) break
    held.messages++
    held.bytes += bytes
  }
  return held
}

/** The same run without its messages up to and including a sequence number. */
export function cutRun(run: IndexRun, through: SequenceNumber): IndexRun {
  const { messages: messagesBefore, bytes: bytesBefore } = heldThrough(run, through)
  return { ...run, messagesBefore, bytesBefore, messages: run.messages.filter(({ sequence }) => sequence > through) }
}

/** Where a queue's next messages are. */
export interface RunPlace {
  readonly bodiesAt: SequenceNumber
  readonly first: SequenceNumber
  readonly last: SequenceNumber
  readonly messages: number
}

/** As `readIndexRun`, for who goes on to the bodies. */
export function readRunPlace(last: SequenceNumber, value: Uint8Array): RunPlace {
  if (value[0] !== RUN) return { bodiesAt: last, first: last, last, messages: 1 }
  const reader = new ByteReader(value)
  reader.byte()
  reader.varint()
  reader.varint()
  const messages = reader.varint()
  const bodiesAt = reader.uint48()
  return { bodiesAt, first: bodiesAt + reader.varint(), last, messages }
}

export function beginBodies(writer: ByteWriter): void {
  writer.byte(BODIES)
}

/** @param before the message before it in the run; of the first, itself */
export function writeBody(writer: ByteWriter, before: SequenceNumber, sequence: SequenceNumber, body: Uint8Array): void {
  writer.varint(sequence - before)
  writer.bytes(body)
}

/** Goes through the bodies that the log has under one key, in the order of their sequence numbers. */
export class Bodies {
  readonly #key: SequenceNumber
  readonly #reader: ByteReader
  /** Where the next one begins. */
  #next: number
  readonly #isRun: boolean
  /** The last that was read: those of a queue are often of one topic, and of one publisher. */
  #similar: LogEntry | undefined
  /** Of the body that it stands at; 0: of none yet. */
  sequence: SequenceNumber = 0

  /**
   * Stands before the first: to be advanced first. The bytes are kept: the payloads stay in them.
   *
   * @param similar the last of those that were read before these
   */
  constructor(key: SequenceNumber, value: Uint8Array, similar?: LogEntry) {
    this.#key = key
    this.#similar = similar
    this.#reader = new ByteReader(value)
    this.#isRun = value[0] === BODIES
    this.#next = this.#isRun ? 1 : 0
  }

  /** False: there are no more. */
  advance(): boolean {
    const reader = this.#reader
    reader.moveTo(this.#next)
    if (reader.isAtEnd) return false
    if (this.#isRun) {
      this.sequence = (this.sequence || this.#key) + reader.varint()
      const size = reader.varint()
      this.#next = reader.position + size
    } else {
      this.sequence = this.#key
      this.#next = reader.end
    }
    return true
  }

  /** Stands at the first above a sequence number, unless it has passed that; false: there is none. */
  advancePast(after: SequenceNumber): boolean {
    while (this.sequence <= after) if (!this.advance()) return false
    return true
  }

  /** Stands at a message that it has not passed; false: it is not among these. */
  moveTo(sequence: SequenceNumber): boolean {
    return this.advancePast(sequence - 1) && this.sequence === sequence
  }

  /** Only the queues of the message that it stands at, instead of `read`. */
  readQueues(): readonly QueueId[] {
    return readLogQueues(this.#reader)
  }

  /** The body that it stands at, once. */
  read(): LogEntry {
    const similar = this.#similar
    const queues = readLogQueues(this.#reader, similar?.queues)
    this.#similar = { sequence: this.sequence, message: readMessage(this.#reader, similar?.message), queues }
    return this.#similar
  }
}
