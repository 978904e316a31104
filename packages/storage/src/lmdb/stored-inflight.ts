import type { StoredMessage } from '../stored-message.ts'
import type { InflightMessageRecord } from '../records.ts'
import type { Batch } from './batch.ts'
import { ByteReader } from './byte-reader.ts'
import { inflightKey, numberedKey, numberOfKey, packetIdentifierOfKey, RecordKind } from './layout.ts'
import { readMessage, writeMessage } from './message-codec.ts'
import { recordsOf } from './scan-records.ts'
import type { Tables } from './tables.ts'

interface SessionInflight {
  /** Put since the last commit began. */
  readonly gathered: Map<number, StoredMessage>
  /** Those that are on disk, or in a commit that has begun. */
  readonly written: Set<number>
}

/**
 * The messages that sessions have in flight and that no queue holds. What is finished before its commit begins never
 * reaches the disk: a client that keeps up costs it nothing.
 */
export class StoredInflight {
  readonly #batch: Batch
  readonly #sessions = new Map<number, SessionInflight>()
  /** Sessions with something gathered. */
  readonly #changed = new Map<number, SessionInflight>()

  constructor(batch: Batch) {
    this.#batch = batch
  }

  load(tables: Tables): Map<number, InflightMessageRecord[]> {
    const messages = new Map<number, InflightMessageRecord[]>()
    for (const { key, value } of recordsOf(tables, RecordKind.Inflight)) {
      const session = numberOfKey(key)
      const packetIdentifier = packetIdentifierOfKey(key)
      const { written } = this.#of(session)
      if (written.size === 0) messages.set(session, [])
      written.add(packetIdentifier)
      messages.get(session)?.push({ packetIdentifier, message: readMessage(new ByteReader(value)) })
    }
    return messages
  }

  put(session: number, packetIdentifier: number, message: StoredMessage): void {
    const held = this.#of(session)
    held.gathered.set(packetIdentifier, message)
    this.#changed.set(session, held)
  }

  delete(session: number, packetIdentifier: number): void {
    const held = this.#sessions.get(session)
    if (held === undefined) return
    held.gathered.delete(packetIdentifier)
    if (held.written.delete(packetIdentifier)) this.#batch.delete('records', inflightKey(session, packetIdentifier))
    if (held.gathered.size === 0 && held.written.size === 0) this.#forget(session)
  }

  deleteAll(session: number): void {
    const held = this.#sessions.get(session)
    if (held === undefined) return
    if (held.written.size > 0) this.#batch.deletePrefix('records', numberedKey(RecordKind.Inflight, session))
    this.#forget(session)
  }

  /** Writes what was put, for the commit that begins. */
  write(): void {
    for (const [session, { gathered, written }] of this.#changed) {
      for (const [packetIdentifier, message] of gathered) {
        writeMessage(this.#batch.put('records', inflightKey(session, packetIdentifier)), message)
        this.#batch.end()
        written.add(packetIdentifier)
      }
      gathered.clear()
    }
    this.#changed.clear()
  }

  #of(session: number): SessionInflight {
    const known = this.#sessions.get(session)
    if (known !== undefined) return known
    const held: SessionInflight = { gathered: new Map(), written: new Set() }
    this.#sessions.set(session, held)
    return held
  }

  #forget(session: number): void {
    this.#sessions.delete(session)
    this.#changed.delete(session)
  }
}
