import { existsSync, renameSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import type * as Lmdb from 'lmdb'
import type { OutboxContents, ReadLimit, SequenceNumber } from '../outbox-store.ts'
import { checkDataFile } from './check-data-file.ts'
import { syncFolder } from './folder.ts'
import { COUNT_LENGTH } from './message-codec.ts'
import { damaged, OutboxFailure } from './outbox-failure.ts'
import {
  checkFormat,
  decodeState,
  encodeFormat,
  encodeState,
  KEY_LENGTH,
  keysAbove,
  NEW_STATE,
  numberOfKey,
  type OutboxState,
  RecordKind,
  recordKey
} from './outbox-records.ts'
import { Room } from './room.ts'
import { eachMessage, type EncodedChanges, type EncodedMessages } from './thread-messages.ts'

type Table = Lmdb.RootDatabase<Uint8Array, Uint8Array>

interface OpenFile {
  readonly table: Table
  readonly room: Room
}

/**
 * Each transaction is synced on its own (`overlappingSync: false`): LMDB writes the pages that changed to new places, syncs them, and then
 * writes, through a descriptor that syncs by itself, the page that refers to them. The file is written by system calls, not through the map
 * (`useWritemap` is off), and unused parts of pages are zero, so that no other memory leaks to disk.
 */
const OPTIONS: Lmdb.RootDatabaseOptions = {
  noSubdir: false,
  encoding: 'binary',
  keyEncoding: 'binary',
  compression: false,
  overlappingSync: false,
  noMemInit: false,
  maxDbs: 1
}

/** Released: those of them whose PUBREC has come since they were stored. */
interface MessagesRead {
  readonly messages: EncodedMessages
  readonly released: readonly SequenceNumber[]
}

const NOTHING = new Uint8Array(0)

/** So few need less than the reserve. */
const REMOVED_TOGETHER = 16

const ONLY_REMOVED: EncodedChanges = {
  clientId: undefined,
  put: { sequences: [], lengths: [], values: NOTHING },
  release: [],
  remove: [],
  received: [],
  forgotten: []
}

/** Much more than the first pages take. */
const ROOM_FOR_NEW_BYTES = 1_024 * 1_024

/** An outbox in a folder that is held for it, read and written without ado: on a thread of its own. */
export class OutboxFile {
  readonly #folder: string
  readonly #lmdb: typeof Lmdb
  #opened: OpenFile | undefined = undefined
  #state: OutboxState = NEW_STATE

  private constructor(folder: string, lmdb: typeof Lmdb) {
    this.#folder = folder
    this.#lmdb = lmdb
  }

  /** Makes the file if there is none. */
  static async open(folder: string, lmdb: typeof Lmdb): Promise<OutboxFile> {
    const path = join(folder, 'data.mdb')
    const file = new OutboxFile(folder, lmdb)
    if (!existsSync(path)) await file.#create(path)
    checkDataFile(path)
    await file.#open()
    return file
  }

  async contents(): Promise<OutboxContents> {
    const { table } = await this.#open()
    const receivedIdentifiers = Array.from(table.getKeys(keysAbove(RecordKind.Received)), keyNumber)
    table.resetReadTxn()
    return { ...this.#state, receivedIdentifiers }
  }

  /** Resolves once it is on disk. If it rejects, nothing has changed. */
  async commit(changes: EncodedChanges): Promise<void> {
    const { table, room } = await this.#open()
    const { put, release, remove, received, forgotten } = changes
    const records = put.sequences.length + release.length + 2 * remove.length + received.length + forgotten.length + 1
    const isAdding = put.sequences.length > 0
    const shortage = room.provide(records, put.values.byteLength + KEY_LENGTH * records, isAdding)
    if (shortage !== undefined && !isAdding && remove.length > REMOVED_TOGETHER) return this.#commitInSteps(changes)
    if (shortage !== undefined) throw shortage
    const state = { ...this.#state }
    try {
      table.transactionSync(() => {
        change(table, changes, state)
        table.putSync(recordKey(RecordKind.State), encodeState(state))
      })
    } catch (cause) {
      // Where that was at the page that refers to all others, LMDB refuses to go on until it is opened anew.
      await this.close()
      throw cause
    }
    this.#state = state
  }

  /**
   * Where there is no room to remove many messages at once, some at a time make it. A power failure in between is as if the client had
   * removed only these.
   */
  async #commitInSteps(changes: EncodedChanges): Promise<void> {
    const { remove } = changes
    for (let start = 0; start < remove.length; start += REMOVED_TOGETHER) {
      await this.commit({ ...ONLY_REMOVED, remove: remove.slice(start, start + REMOVED_TOGETHER) })
    }
    await this.commit({ ...changes, remove: [] })
  }

  async read(after: SequenceNumber, limit: ReadLimit): Promise<MessagesRead> {
    const { table } = await this.#open()
    const sequences: SequenceNumber[] = []
    const values: Uint8Array[] = []
    let bytes = 0
    for (const { key, value } of table.getRange({ ...keysAbove(RecordKind.Message, after), limit: limit.messages })) {
      bytes += countOf(value)
      if (values.length > 0 && bytes > limit.bytes) break
      sequences.push(keyNumber(key))
      values.push(value)
    }
    const last = sequences.at(-1) ?? after
    const releasedKeys = { start: recordKey(RecordKind.Released, after + 1), end: recordKey(RecordKind.Released, last + 1) }
    const released = Array.from(table.getKeys(releasedKeys), keyNumber)
    table.resetReadTxn()
    const lengths = values.map(({ length }) => length)
    const joined = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0))
    let at = 0
    for (const value of values) {
      joined.set(value, at)
      at += value.length
    }
    return { messages: { sequences, lengths, values: joined }, released }
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    opened?.room.close()
    await opened?.table.close()
  }

  async #open(): Promise<OpenFile> {
    if (this.#opened !== undefined) return this.#opened
    const table: Table = this.#lmdb.open(this.#folder, OPTIONS)
    try {
      checkFormat(this.#folder, table.getBinary(recordKey(RecordKind.Format)))
      this.#state = decodeState(table.getBinary(recordKey(RecordKind.State)))
      checkNoneAbove(table, this.#state.nextSequence)
      const opened: OpenFile = { table, room: new Room(this.#folder, table) }
      this.#opened = opened
      return opened
    } catch (error) {
      await table.close()
      throw error
    }
  }

  /** A new file comes into its place whole: one that is empty or begun has been damaged, and is not taken for a new one. */
  async #create(path: string): Promise<void> {
    const { bavail, bsize } = statfsSync(this.#folder)
    if (bavail * bsize < ROOM_FOR_NEW_BYTES) {
      throw new OutboxFailure(`cannot begin an outbox in ${this.#folder}: there is no room on the disk`)
    }
    const begun = join(this.#folder, 'new')
    rmSync(begun, { recursive: true, force: true })
    const table: Table = this.#lmdb.open(begun, OPTIONS)
    table.transactionSync(() => {
      table.putSync(recordKey(RecordKind.Format), encodeFormat())
      table.putSync(recordKey(RecordKind.State), encodeState(NEW_STATE))
    })
    await table.close()
    renameSync(join(begun, 'data.mdb'), path)
    rmSync(begun, { recursive: true, force: true })
    syncFolder(this.#folder)
  }
}

/** What is appended behind all others would be lost. */
function checkNoneAbove(table: Table, nextSequence: SequenceNumber): void {
  const above = Array.from(table.getKeys({ ...keysAbove(RecordKind.Message, nextSequence - 1), limit: 1 }), keyNumber)
  if (above.length > 0) throw damaged(`it holds message ${above[0]}, and should not go beyond ${nextSequence - 1}`)
}

/** Within a transaction. Where a commit that was taken for failed had happened, making it again comes to the same. */
function change(table: Table, changes: EncodedChanges, state: OutboxState): void {
  const { clientId, put, release, remove, received, forgotten } = changes
  if (clientId !== undefined) state.clientId = clientId
  for (const [sequence, value] of eachMessage(put)) {
    const isNew = sequence >= state.nextSequence
    if (!isNew) removeMessage(table, sequence, state)
    // Behind all others, so that pages are filled.
    table.putSync(recordKey(RecordKind.Message, sequence), value, { append: isNew })
    state.messages++
    state.bytes += countOf(value)
    state.nextSequence = Math.max(state.nextSequence, sequence + 1)
  }
  for (const sequence of release) {
    if (table.doesExist(recordKey(RecordKind.Message, sequence))) table.putSync(recordKey(RecordKind.Released, sequence), NOTHING)
  }
  for (const sequence of remove) removeMessage(table, sequence, state)
  for (const packetIdentifier of received) table.putSync(recordKey(RecordKind.Received, packetIdentifier), NOTHING)
  for (const packetIdentifier of forgotten) table.removeSync(recordKey(RecordKind.Received, packetIdentifier))
}

function removeMessage(table: Table, sequence: SequenceNumber, state: OutboxState): void {
  const key = recordKey(RecordKind.Message, sequence)
  const value = table.getBinary(key)
  if (value === undefined) return
  state.messages--
  state.bytes -= countOf(value)
  table.removeSync(key)
  table.removeSync(recordKey(RecordKind.Released, sequence))
}

/** What a message counts, of its bytes. */
function countOf(value: Uint8Array): number {
  if (value.byteLength < COUNT_LENGTH) throw damaged('a message is too short')
  return new DataView(value.buffer, value.byteOffset).getUint32(0)
}

function keyNumber(key: Uint8Array): number {
  return numberOfKey(Buffer.from(key.buffer, key.byteOffset, key.byteLength))
}
