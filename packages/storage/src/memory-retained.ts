import { topicMatches } from '@godwit/protocol'
import { messageBytes } from './message-bytes.ts'
import { SortedTopics } from './sorted-topics.ts'
import type { RetainedMessage, RetainedPage } from './store.ts'

/** Topic names looked at for one page: a scan that matches little must not hold up the event loop. */
const EXAMINED_MAX = 1_000

const NOTHING: RetainedPage = { messages: [], next: undefined }

/** Retained messages by topic name, with the names in order for scans. */
export class MemoryRetained {
  readonly #messages = new Map<string, RetainedMessage>()
  readonly #topics = new SortedTopics()

  #bytes = 0

  /** What the messages measure together, topic and payload. */
  get bytes(): number {
    return this.#bytes
  }

  get count(): number {
    return this.#messages.size
  }

  has(topicName: string): boolean {
    return this.#messages.has(topicName)
  }

  put(retained: RetainedMessage): void {
    const { topicName } = retained.message
    const replaced = this.#messages.get(topicName)
    if (replaced === undefined) this.#topics.add(topicName)
    else this.#bytes -= messageBytes(replaced.message)
    this.#bytes += messageBytes(retained.message)
    this.#messages.set(topicName, retained)
  }

  delete(topicName: string): void {
    const deleted = this.#messages.get(topicName)
    if (deleted === undefined) return
    this.#bytes -= messageBytes(deleted.message)
    this.#messages.delete(topicName)
    this.#topics.delete(topicName)
  }

  /** Only names that begin as the filter does before its first wildcard are looked at. */
  page(topicFilter: string, after: string | undefined, limit: number): RetainedPage {
    const wildcard = topicFilter.search(/[+#]/)
    if (wildcard === -1) return this.#only(topicFilter, after)

    const prefix = topicFilter.slice(0, wildcard)
    const messages: RetainedMessage[] = []
    let reached = after
    let examined = 0

    // `sport/#` matches `sport` too ([5.0 4.7.1.2]), which lies before all that begins with `sport/`.
    if (topicFilter.endsWith('/#') && wildcard === topicFilter.length - 1) {
      const parent = topicFilter.slice(0, -2)
      messages.push(...this.#only(parent, after).messages)
      if (messages.length > 0) reached = parent
    }

    // U+0000 makes the name that follows `after` directly.
    const lowest = after === undefined || after < prefix ? prefix : `${after}\u0000`
    for (const topicName of this.#topics.from(lowest)) {
      if (!topicName.startsWith(prefix)) break
      if (messages.length >= limit || examined === EXAMINED_MAX) return { messages, next: reached }
      examined++
      reached = topicName
      const retained = topicMatches(topicFilter, topicName) ? this.#messages.get(topicName) : undefined
      if (retained !== undefined) messages.push(retained)
    }
    return { messages, next: undefined }
  }

  #only(topicName: string, after: string | undefined): RetainedPage {
    const retained = after === undefined || after < topicName ? this.#messages.get(topicName) : undefined
    return retained === undefined ? NOTHING : { messages: [retained], next: undefined }
  }
}
