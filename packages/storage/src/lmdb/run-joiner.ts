import type { QueueId } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'
import { ByteWriter } from './byte-writer.ts'
import {
  indexKey,
  logKey,
  queueOfIndexKey,
  readIndexEntry,
  sequenceOfIndexKey,
  sequenceOfLogKey,
  writeIndexEntry,
  type IndexEntry
} from './layout.ts'
import { beginBodies, RUN_BYTES_MAX, RUN_MESSAGES_MAX, type RunMessage, writeBody, writeIndexRun } from './log-runs.ts'

/** What a body takes in a run besides itself, mostly. */
const BODY_OVERHEAD_BYTES = 6

/** What is put in the tables of the log and the index; to the log by rising keys. The bytes are lent. */
export interface LogTarget {
  putLog(key: Uint8Array, value: Uint8Array): void
  putIndex(key: Uint8Array, value: Uint8Array): void
}

interface Body {
  readonly sequence: SequenceNumber
  readonly value: Uint8Array
}

/** Messages of one queue alone, and what the index told of the first. */
class JoinedRun {
  readonly queue: QueueId
  readonly bodiesAt: SequenceNumber
  readonly #first: IndexEntry
  readonly #messages: RunMessage[] = []
  readonly #bodies: Body[] = []
  #length = 1

  constructor(queue: QueueId, body: Body, entry: IndexEntry) {
    this.queue = queue
    this.bodiesAt = body.sequence
    this.#first = entry
    this.add(body, entry.bytes)
  }

  get last(): SequenceNumber {
    return this.#messages.at(-1)?.sequence ?? this.bodiesAt
  }

  hasRoomFor({ value }: Body): boolean {
    const length = this.#length + value.byteLength + BODY_OVERHEAD_BYTES
    return length <= RUN_BYTES_MAX && this.#messages.length < RUN_MESSAGES_MAX
  }

  add(body: Body, bytes: number): void {
    this.#messages.push({ sequence: body.sequence, bytes })
    this.#bodies.push(body)
    this.#length += body.value.byteLength + BODY_OVERHEAD_BYTES
  }

  writeBodies(writer: ByteWriter): void {
    const [body] = this.#bodies
    if (body !== undefined && this.#bodies.length === 1) {
      writer.raw(body.value)
      return
    }
    beginBodies(writer)
    let before = this.bodiesAt
    for (const { sequence, value } of this.#bodies) {
      writeBody(writer, before, sequence, value)
      before = sequence
    }
  }

  writeIndex(writer: ByteWriter): void {
    const { bodiesAt, last } = this
    if (last === bodiesAt) writeIndexEntry(writer, this.#first)
    else writeIndexRun(writer, { ...this.#first, bodiesAt, last, messages: this.#messages })
  }
}

/**
 * Joins messages that come one by one, each its body and then its places in the index, into runs where one queue alone holds
 * them. The bytes that it is given are used until `end`.
 */
export class RunJoiner {
  readonly #target: LogTarget
  /** In the order of their first sequence numbers. */
  readonly #log: (JoinedRun | Body)[] = []
  /** The last of each queue, unless something came in between. */
  readonly #open = new Map<QueueId, JoinedRun>()
  /** The last body, which is in no run. */
  #body: Body | undefined = undefined
  readonly #writer = new ByteWriter()

  constructor(target: LogTarget) {
    this.#target = target
  }

  body(key: Uint8Array, value: Uint8Array): void {
    this.#leaveBody()
    this.#body = { sequence: sequenceOfLogKey(key), value }
  }

  place(key: Uint8Array, value: Uint8Array): void {
    const queue = queueOfIndexKey(key)
    const body = this.#body
    const entry = readIndexEntry(value)
    if (!entry.isOnly || body?.sequence !== sequenceOfIndexKey(key)) {
      this.#open.delete(queue)
      this.#target.putIndex(key, value)
      return
    }
    this.#body = undefined
    const run = this.#open.get(queue)
    if (run?.hasRoomFor(body) === true) run.add(body, entry.bytes)
    else this.#begin(new JoinedRun(queue, body, entry))
  }

  end(): void {
    this.#leaveBody()
    const writer = this.#writer
    for (const each of this.#log) {
      if (!(each instanceof JoinedRun)) {
        this.#target.putLog(logKey(each.sequence), each.value)
        continue
      }
      writer.clear()
      each.writeBodies(writer)
      this.#target.putLog(logKey(each.bodiesAt), writer.view)
      writer.clear()
      each.writeIndex(writer)
      this.#target.putIndex(indexKey(each.queue, each.last), writer.view)
    }
  }

  #begin(run: JoinedRun): void {
    this.#open.set(run.queue, run)
    this.#log.push(run)
  }

  #leaveBody(): void {
    if (this.#body !== undefined) this.#log.push(this.#body)
    this.#body = undefined
  }
}
