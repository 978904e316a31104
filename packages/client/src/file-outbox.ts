import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { ClientError } from './client-error.ts'
import { ByteWriter } from './file-outbox/bytes.ts'
import { readMessage, writeMessage } from './file-outbox/message-codec.ts'
import { reasonOf } from './file-outbox/outbox-failure.ts'
import {
  eachMessage,
  type EncodedMessages,
  type OutboxReply,
  type OutboxRequest,
  type OutboxThreadData
} from './file-outbox/thread-messages.ts'
import type { OutboxChanges, OutboxContents, OutboxMessage, OutboxStore, ReadLimit, SequenceNumber } from './outbox-store.ts'

/**
 * Keeps what a client has accepted in a folder, each commit synced to the disk before it resolves: it survives the process and power. The
 * folder is made if there is none; one client at a time can have it open. Needs the package `lmdb`.
 */
export function fileOutbox(path: string): OutboxStore {
  return new FileOutbox(resolve(path))
}

class FileOutbox implements OutboxStore {
  readonly isDurable = true
  readonly #folder: string
  #thread: OutboxThread | undefined = undefined

  constructor(folder: string) {
    this.#folder = folder
  }

  async open(): Promise<OutboxContents> {
    if (this.#thread !== undefined) throw outboxFailure(`${this.#folder} is in use by another client of this process`)
    this.#thread = new OutboxThread(this.#folder)
    try {
      return expected(await this.#ask({ kind: 'open' }), 'opened').contents
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async commit(changes: OutboxChanges): Promise<void> {
    const put = encodeMessages(changes.put)
    const reply = await this.#ask({ kind: 'commit', changes: { ...changes, put } }, [put.values.buffer])
    expected(reply, 'committed')
  }

  async read(afterSequence: SequenceNumber, limit: ReadLimit): Promise<readonly OutboxMessage[]> {
    const { messages, released } = expected(await this.#ask({ kind: 'read', after: afterSequence, limit }), 'read')
    const releasedSince = new Set(released)
    try {
      return Array.from(eachMessage(messages), ([sequence, bytes]) => readMessage(sequence, bytes, releasedSince.has(sequence)))
    } catch (cause) {
      throw outboxFailure(`${this.#folder}: ${reasonOf(cause)}`, { cause })
    }
  }

  async close(): Promise<void> {
    const thread = this.#thread
    this.#thread = undefined
    await thread?.end()
  }

  #ask(request: OutboxRequest, handedOver: readonly ArrayBuffer[] = []): Promise<OutboxReply> {
    return this.#thread?.ask(request, handedOver) ?? Promise.reject(outboxFailure('the outbox is not open'))
  }
}

/** At the process's end: a sync that takes longer has gone wrong. */
const LAST_REQUESTS_MS = 10_000

interface Question {
  readonly resolve: (reply: OutboxReply) => void
  readonly reject: (error: ClientError) => void
}

/** The thread that has the file, as the client's sees it. Keeps the process running only while it has something to do. */
class OutboxThread {
  readonly #worker: Worker
  readonly #questions: Question[] = []
  #death: ClientError | undefined = undefined
  readonly #pending = new Int32Array(new SharedArrayBuffer(4))
  /** A thread that the process's end cuts off within a transaction would wait for itself, and the process for it. */
  readonly #finish = (): void => {
    for (let pending = Atomics.load(this.#pending, 0); pending > 0; pending = Atomics.load(this.#pending, 0)) {
      if (Atomics.wait(this.#pending, 0, pending, LAST_REQUESTS_MS) === 'timed-out') return
    }
  }

  constructor(folder: string) {
    const workerData: OutboxThreadData = { folder, pending: this.#pending }
    this.#worker = new Worker(new URL(import.meta.resolve('#outbox-thread')), { workerData })
    this.#worker.unref()
    this.#worker.on('message', (reply: OutboxReply) => this.#next()?.resolve(reply))
    this.#worker.on('error', (error: unknown) => this.#die(error instanceof Error ? error.message : String(error)))
    this.#worker.on('exit', () => this.#die('it has ended'))
    process.on('exit', this.#finish)
  }

  ask(request: OutboxRequest, handedOver: readonly ArrayBuffer[] = []): Promise<OutboxReply> {
    return new Promise((resolve, reject) => {
      if (this.#death !== undefined) {
        reject(this.#death)
        return
      }
      this.#questions.push({ resolve, reject })
      this.#worker.ref()
      Atomics.add(this.#pending, 0, 1)
      this.#worker.postMessage(request, handedOver)
    })
  }

  /** Lets go of the file and ends the thread. */
  async end(): Promise<void> {
    try {
      if (this.#death === undefined) await this.ask({ kind: 'close' })
    } finally {
      await this.#worker.terminate()
    }
  }

  #next(): Question | undefined {
    const question = this.#questions.shift()
    if (this.#questions.length === 0) this.#worker.unref()
    return question
  }

  #die(reason: string): void {
    process.off('exit', this.#finish)
    this.#death ??= outboxFailure(`the thread of the outbox cannot go on: ${reason}`)
    for (const { reject } of this.#questions.splice(0)) reject(this.#death)
  }
}

function encodeMessages(messages: readonly OutboxMessage[]): EncodedMessages {
  const writer = new ByteWriter()
  const lengths = messages.map((message) => {
    const start = writer.length
    writeMessage(writer, message)
    return writer.length - start
  })
  return { sequences: messages.map(({ sequence }) => sequence), lengths, values: writer.finish() }
}

/** @throws {ClientError} with the reason, if the request failed */
function expected<Kind extends OutboxReply['kind']>(
  reply: OutboxReply,
  kind: Kind
): Extract<OutboxReply, { readonly kind: Kind }> {
  if (reply.kind === 'failed') throw outboxFailure(reply.reason)
  if (isOfKind(reply, kind)) return reply
  throw outboxFailure(`the thread of the outbox answered ${reply.kind}, not ${kind}`)
}

function isOfKind<Kind extends OutboxReply['kind']>(
  reply: OutboxReply,
  kind: Kind
): reply is Extract<OutboxReply, { readonly kind: Kind }> {
  return reply.kind === kind
}

/** @param reason one line */
function outboxFailure(reason: string, options?: ErrorOptions): ClientError {
  return new ClientError('outbox-failed', reason, options)
}
