import assert from 'node:assert'
import {
  progressAt,
  type ProgressRecord,
  type SessionRecord,
  type SharedGroupRecord,
  type StoreContents,
  type SubscriptionRecord,
  type WillRecord
} from './records.ts'
import type { StoredMessage } from './stored-message.ts'

interface HeldSession {
  session: SessionRecord
  progress: ProgressRecord
  readonly subscriptions: Map<string, SubscriptionRecord>
  readonly received: Map<number, StoredMessage>
  readonly inflightMessages: Map<number, StoredMessage>
}

interface HeldGroup {
  group: SharedGroupRecord
  progress: ProgressRecord
}

/** Sessions with all that belongs to them, shared subscriptions' groups, and wills. */
export class MemoryRecords {
  readonly #sessions = new Map<string, HeldSession>()
  readonly #groups = new Map<string, HeldGroup>()
  readonly #wills = new Map<string, WillRecord>()

  contents(): Omit<StoreContents, 'queues'> {
    return {
      sessions: Array.from(this.#sessions.values(), ({ session, progress, subscriptions, received, inflightMessages }) => ({
        session,
        subscriptions: [...subscriptions.values()],
        progress,
        received: identified(received),
        inflightMessages: identified(inflightMessages)
      })),
      sharedGroups: Array.from(this.#groups.values(), ({ group, progress }) => ({ group, progress })),
      wills: [...this.#wills.values()]
    }
  }

  putSession(session: SessionRecord): void {
    const held = this.#sessions.get(session.clientId)
    if (held !== undefined) held.session = session
    else this.#sessions.set(session.clientId, newSession(session))
  }

  deleteSession(clientId: string): void {
    this.#sessions.delete(clientId)
  }

  putSubscription(clientId: string, record: SubscriptionRecord): void {
    this.#session(clientId).subscriptions.set(record.topicFilter, record)
  }

  deleteSubscription(clientId: string, topicFilter: string): void {
    this.#sessions.get(clientId)?.subscriptions.delete(topicFilter)
  }

  putReceived(clientId: string, packetIdentifier: number, message: StoredMessage): void {
    const { received } = this.#session(clientId)
    received.delete(packetIdentifier)
    received.set(packetIdentifier, message)
  }

  deleteReceived(clientId: string, packetIdentifier: number): void {
    this.#sessions.get(clientId)?.received.delete(packetIdentifier)
  }

  putInflight(clientId: string, packetIdentifier: number, message: StoredMessage): void {
    this.#session(clientId).inflightMessages.set(packetIdentifier, message)
  }

  deleteInflight(clientId: string, packetIdentifier: number): void {
    this.#sessions.get(clientId)?.inflightMessages.delete(packetIdentifier)
  }

  putGroup(group: SharedGroupRecord): void {
    const held = this.#groups.get(group.filter)
    if (held !== undefined) held.group = group
    else this.#groups.set(group.filter, { group, progress: progressAt(0) })
  }

  deleteGroup(filter: string): void {
    this.#groups.delete(filter)
  }

  putWill(record: WillRecord): void {
    this.#wills.set(record.clientId, record)
  }

  deleteWill(clientId: string): void {
    this.#wills.delete(clientId)
  }

  /** Where a session's progress is kept; undefined: there is no such session. */
  sessionProgress(clientId: string): { progress: ProgressRecord } | undefined {
    return this.#sessions.get(clientId)
  }

  /** Where a group's progress is kept; undefined: there is no such group. */
  groupProgress(filter: string): { progress: ProgressRecord } | undefined {
    return this.#groups.get(filter)
  }

  #session(clientId: string): HeldSession {
    const held = this.#sessions.get(clientId)
    assert(held !== undefined, `the store holds no session ${JSON.stringify(clientId)}: put it first`)
    return held
  }
}

function newSession(session: SessionRecord): HeldSession {
  return {
    session,
    progress: progressAt(0),
    subscriptions: new Map(),
    received: new Map(),
    inflightMessages: new Map()
  }
}

function identified(messages: ReadonlyMap<number, StoredMessage>): { packetIdentifier: number; message: StoredMessage }[] {
  return Array.from(messages, ([packetIdentifier, message]) => ({ packetIdentifier, message }))
}
