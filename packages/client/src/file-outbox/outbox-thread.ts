import assert from 'node:assert'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type * as Lmdb from 'lmdb'
import { FolderLock, useFolder } from './folder.ts'
import { OutboxFile } from './outbox-file.ts'
import { OutboxFailure, reasonOf } from './outbox-failure.ts'
import { isOutboxThreadData, type OutboxReply, type OutboxRequest, type OutboxThreadData } from './thread-messages.ts'

/** Reads and writes the file, one request after another, where waiting for the disk holds up nobody. */
class OutboxThread {
  readonly #port: MessagePort
  readonly #folder: string
  readonly #pending: Int32Array<SharedArrayBuffer>
  #opened: { readonly lock: FolderLock; readonly file: OutboxFile } | undefined = undefined
  #last: Promise<void> = Promise.resolve()

  constructor(port: MessagePort, { folder, pending }: OutboxThreadData) {
    this.#port = port
    this.#folder = folder
    this.#pending = pending
  }

  serve(): void {
    this.#port.on('message', (request: OutboxRequest) => {
      this.#last = this.#last.then(() => this.#answer(request))
    })
  }

  async #answer(request: OutboxRequest): Promise<void> {
    let reply: OutboxReply
    try {
      reply = await this.#handle(request)
    } catch (error) {
      const reason = error instanceof OutboxFailure ? error.message : `${this.#folder}: ${reasonOf(error)}`
      reply = { kind: 'failed', reason }
    }
    this.#port.postMessage(reply, reply.kind === 'read' ? [reply.messages.values.buffer] : [])
    Atomics.sub(this.#pending, 0, 1)
    Atomics.notify(this.#pending, 0)
  }

  async #handle(request: OutboxRequest): Promise<OutboxReply> {
    switch (request.kind) {
      case 'open':
        return { kind: 'opened', contents: await (await this.#open()).contents() }
      case 'commit':
        await this.#file.commit(request.changes)
        return { kind: 'committed' }
      case 'read':
        return { kind: 'read', ...(await this.#file.read(request.after, request.limit)) }
      case 'close':
        await this.#close()
        return { kind: 'closed' }
    }
  }

  async #open(): Promise<OutboxFile> {
    const lmdb = await importLmdb()
    useFolder(this.#folder)
    const lock = new FolderLock(this.#folder)
    try {
      const file = await OutboxFile.open(this.#folder, lmdb)
      this.#opened = { lock, file }
      return file
    } catch (error) {
      lock.release()
      throw error
    }
  }

  async #close(): Promise<void> {
    await this.#opened?.file.close()
    this.#opened?.lock.release()
    this.#opened = undefined
  }

  get #file(): OutboxFile {
    assert(this.#opened !== undefined, 'the outbox is not open')
    return this.#opened.file
  }
}

async function importLmdb(): Promise<typeof Lmdb> {
  try {
    return await import('lmdb')
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND'
    const what = isMissing ? 'is not installed' : `cannot be loaded (${reasonOf(cause)})`
    throw new OutboxFailure(`fileOutbox needs the package lmdb, which ${what}: npm install lmdb@3.5.6`, { cause })
  }
}

const data: unknown = workerData
assert(parentPort !== null && isOutboxThreadData(data))
new OutboxThread(parentPort, data).serve()
