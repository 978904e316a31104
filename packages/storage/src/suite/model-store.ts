import { topicMatches } from '@godwit/protocol'
import {
  progressAt,
  type ProgressRecord,
  type SubscriptionRecord,
  type SessionRecord,
  type SharedGroupRecord,
  type WillRecord
} from '../records.ts'
import type { Backlog, RetainedMessage } from '../store.ts'
import type { SequenceNumber, StoredMessage } from '../stored-message.ts'

export interface ModelEntry {
  readonly sequence: SequenceNumber
  readonly message: StoredMessage
}

export interface ModelSession {
  session: SessionRecord
  progress: ProgressRecord
  readonly subscriptions: Map<string, SubscriptionRecord>
  received: { readonly packetIdentifier: number; readonly message: StoredMessage }[]
  readonly inflightMessages: Map<number, StoredMessage>
}

/** What a store should hold, in the plainest way that can be thought of. Queues go by their topic filters. */
export class ModelStore {
  readonly queues: Map<string, ModelEntry[]> = new Map()
  readonly sessions: Map<string, ModelSession> = new Map()
  readonly groups: Map<string, { group: SharedGroupRecord; progress: ProgressRecord }> = new Map()
  readonly wills: Map<string, WillRecord> = new Map()
  readonly retained: Map<string, RetainedMessage> = new Map()

  append(sequence: SequenceNumber, message: StoredMessage, topicFilters: readonly string[]): void {
    for (const topicFilter of topicFilters) this.queues.get(topicFilter)?.push({ sequence, message })
  }

  trim(topicFilter: string, through: SequenceNumber): void {
    this.queues.set(topicFilter, this.#after(topicFilter, through))
  }

  read(positions: readonly (readonly [topicFilter: string, after: SequenceNumber])[], limit: number): ModelEntry[] {
    const found = new Map<SequenceNumber, ModelEntry>()
    for (const [topicFilter, after] of positions) {
      for (const entry of this.#after(topicFilter, after)) found.set(entry.sequence, entry)
    }
    return [...found.values()].toSorted((a, b) => a.sequence - b.sequence).slice(0, limit)
  }

  backlog(topicFilter: string, after: SequenceNumber): Backlog {
    let bytes = 0
    const entries = this.#after(topicFilter, after)
    for (const { message } of entries) bytes += message.payload.length + new TextEncoder().encode(message.topicName).length
    return { messages: entries.length, bytes }
  }

  putSession(session: SessionRecord): void {
    const held = this.sessions.get(session.clientId)
    if (held !== undefined) held.session = session
    else {
      const progress = progressAt(0)
      this.sessions.set(session.clientId, {
        session,
        progress,
        subscriptions: new Map(),
        received: [],
        inflightMessages: new Map()
      })
    }
  }

  deleteReceived(clientId: string, packetIdentifier: number): void {
    const held = this.sessions.get(clientId)
    if (held !== undefined) held.received = held.received.filter((received) => received.packetIdentifier !== packetIdentifier)
  }

  putReceived(clientId: string, packetIdentifier: number, message: StoredMessage): void {
    this.deleteReceived(clientId, packetIdentifier)
    this.sessions.get(clientId)?.received.push({ packetIdentifier, message })
  }

  putGroup(group: SharedGroupRecord): void {
    const held = this.groups.get(group.filter)
    if (held !== undefined) held.group = group
    else this.groups.set(group.filter, { group, progress: progressAt(0) })
  }

  retainedMatching(topicFilter: string): RetainedMessage[] {
    return [...this.retained.values()].filter(({ message }) => topicMatches(topicFilter, message.topicName))
  }

  /** Whether a queue holds anything above `after`, up to and including `through`. */
  holdsBetween(after: SequenceNumber, through: SequenceNumber): boolean {
    const isBetween = ({ sequence }: ModelEntry): boolean => sequence > after && sequence <= through
    return [...this.queues.values()].some((entries) => entries.some(isBetween))
  }

  #after(topicFilter: string, after: SequenceNumber): ModelEntry[] {
    return (this.queues.get(topicFilter) ?? []).filter(({ sequence }) => sequence > after)
  }
}
