import { topicMatches } from '@godwit/protocol'
import { messageBytes } from '../message-bytes.ts'
import { SortedTopics } from '../sorted-topics.ts'
import type { RetainedMessage, RetainedPage } from '../store.ts'
import type { Batch } from './batch.ts'
import { ByteReader } from './byte-reader.ts'
import type { DataFile } from './data-file.ts'
import { textKey, textKeyPrefix, textOfKey } from './layout.ts'
import { readRetained, readRetainedBytes, writeRetained } from './record-codec.ts'

/** Topic names looked at for one page: a scan that matches little must not hold up the event loop. */
const EXAMINED_MAX = 1_000

const NOTHING: RetainedPage = { messages: [], next: undefined }

/**
 * Retained messages by topic name, in the order of the names' bytes. In memory is what is not known to be in the table
 * yet: it covers what that says, and is merged with it in scans.
 *
 * Keys are bytes, held in strings with one character for each, so that strings sort and compare as the bytes do.
 */
export class StoredRetained {
  readonly #file: DataFile
  readonly #batch: Batch
  /** undefined: nothing is retained any longer. */
  readonly #pending = new Map<string, RetainedMessage | undefined>()
  readonly #pendingOrder = new SortedTopics()
  /** Of those, what changed since the last commit began. */
  #changed = new Set<string>()
  /** Of those, what commits have written since the last merge began. */
  #written = new Set<string>()
  /** Of those, what the merge under way writes. */
  readonly #merging = new Set<string>()
  #count = 0
  #bytes = 0

  constructor(file: DataFile, batch: Batch) {
    this.#file = file
    this.#batch = batch
  }

  get count(): number {
    return this.#count
  }

  /** What the messages measure. */
  get bytes(): number {
    return this.#bytes
  }

  load(bytes: number): void {
    this.#bytes = bytes
    this.#count = entryCount(this.#file.tables.retained.getStats())
  }

  has(topicName: string): boolean {
    const key = keyOf(topicName)
    if (this.#pending.has(key)) return this.#pending.get(key) !== undefined
    return this.#file.tables.retained.doesExist(bytesOf(key))
  }

  put(retained: RetainedMessage): void {
    const key = keyOf(retained.message.topicName)
    const replaced = this.#sizeOf(key)
    if (replaced === undefined) this.#count++
    this.#bytes += messageBytes(retained.message) - (replaced ?? 0)
    this.#change(key, retained)
  }

  delete(topicName: string): void {
    const key = keyOf(topicName)
    const deleted = this.#sizeOf(key)
    if (deleted === undefined) return
    this.#count--
    this.#bytes -= deleted
    this.#change(key, undefined)
  }

  /** Only names that begin as the filter does before its first wildcard are looked at. */
  page(topicFilter: string, after: string | undefined, limit: number): RetainedPage {
    const afterKey = after === undefined ? '' : keyOf(after)
    const wildcard = topicFilter.search(/[+#]/)
    if (wildcard === -1) return this.#only(topicFilter, afterKey)

    const prefix = textKeyPrefix(topicFilter.slice(0, wildcard)).toString('latin1')
    const messages: RetainedMessage[] = []
    let reached = after
    let examined = 0

    // `sport/#` matches `sport` too ([5.0 4.7.1.2]), which lies before all that begins with `sport/`; names so long that
    // their keys are cut lie among those.
    const parent = topicFilter.slice(0, -2)
    if (topicFilter.endsWith('/#') && wildcard === topicFilter.length - 1 && !keyOf(parent).startsWith(prefix)) {
      messages.push(...this.#only(parent, afterKey).messages)
      if (messages.length > 0) reached = parent
    }

    // No topic name holds U+0000 ([5.0 MQTT-4.7.3-2]): with it, a key comes directly after one, or before all.
    const lowest = afterKey < prefix ? prefix : `${afterKey}\u0000`
    for (const key of this.#keysFrom(lowest)) {
      if (!key.startsWith(prefix)) break
      if (messages.length >= limit || examined === EXAMINED_MAX) return { messages, next: reached }
      examined++
      const retained = this.#match(key, topicFilter)
      if (typeof retained !== 'object') reached = retained ?? reached
      else {
        reached = retained.message.topicName
        messages.push(retained)
      }
    }
    return { messages, next: undefined }
  }

  /** Writes what changed, for the commit that begins: of what changed several times, the last. */
  write(): void {
    for (const key of this.#changed) {
      const retained = this.#pending.get(key)
      if (retained === undefined) this.#batch.delete('retained', bytesOf(key))
      else {
        const bytes = messageBytes(retained.message)
        writeRetained(this.#batch.put('retained', bytesOf(key)), { bytes, ...retained })
        this.#batch.end()
      }
      this.#written.add(key)
    }
    this.#changed = new Set()
  }

  /** What was written by now is being merged into the table, with what an earlier merge failed to. */
  beginMerge(): void {
    for (const key of this.#written) this.#merging.add(key)
    this.#written = new Set()
  }

  /** What was being merged is in the table. */
  land(): void {
    for (const key of this.#merging) {
      if (this.#changed.has(key) || this.#written.has(key)) continue
      this.#pending.delete(key)
      this.#pendingOrder.delete(key)
    }
    this.#merging.clear()
  }

  #change(key: string, retained: RetainedMessage | undefined): void {
    this.#pending.set(key, retained)
    this.#pendingOrder.add(key)
    this.#changed.add(key)
  }

  #only(topicName: string, afterKey: string): RetainedPage {
    const key = keyOf(topicName)
    const retained = afterKey < key ? this.#find(key) : undefined
    return retained === undefined ? NOTHING : { messages: [retained], next: undefined }
  }

  /** The message at a key if its topic matches; else the topic, or undefined if there is none. */
  #match(key: string, topicFilter: string): RetainedMessage | string | undefined {
    const topicName = textOfKey(bytesOf(key))
    if (topicName !== undefined && !topicMatches(topicFilter, topicName)) return topicName
    const retained = this.#find(key)
    if (retained === undefined) return topicName
    const found = retained.message.topicName
    return topicName !== undefined || topicMatches(topicFilter, found) ? retained : found
  }

  #find(key: string): RetainedMessage | undefined {
    if (this.#pending.has(key)) return this.#pending.get(key)
    const value = this.#file.tables.retained.getBinary(bytesOf(key))
    if (value === undefined) return undefined
    const { sequence, message } = readRetained(new ByteReader(value))
    return { sequence, message }
  }

  /** What is retained under a key measures this; undefined: nothing is. */
  #sizeOf(key: string): number | undefined {
    const pending = this.#pending.get(key)
    if (pending !== undefined) return messageBytes(pending.message)
    if (this.#pending.has(key)) return undefined
    const value = this.#file.tables.retained.getBinaryFast(bytesOf(key))
    return value === undefined ? undefined : readRetainedBytes(new ByteReader(value))
  }

  /** Keys on disk and pending ones, in order, each once; what is deleted is among them until the disk knows. */
  *#keysFrom(lowest: string): Generator<string, void, undefined> {
    const pending = this.#pendingOrder.from(lowest)
    let next = pending.next()
    const start = bytesOf(lowest === '' ? '\u0000' : lowest)
    for (const bytes of this.#file.tables.retained.getKeys({ start })) {
      const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
      for (; next.done !== true && next.value < key; next = pending.next()) yield next.value
      if (next.done !== true && next.value === key) next = pending.next()
      yield key
    }
    for (; next.done !== true; next = pending.next()) yield next.value
  }
}

function keyOf(topicName: string): string {
  return textKey(topicName).toString('latin1')
}

function bytesOf(key: string): Buffer {
  return Buffer.from(key, 'latin1')
}

function entryCount(stats: object): number {
  return 'entryCount' in stats && typeof stats.entryCount === 'number' ? stats.entryCount : 0
}
