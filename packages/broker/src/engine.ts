import type { CommitNumber, QueueId, Store } from '@godwit/storage'
import { parseSharedSubscription } from '@godwit/protocol'
import type { Access } from './access.ts'
import type { Clock } from './clock.ts'
import { Commits } from './commits.ts'
import type { Connection } from './connection.ts'
import type { DurableQueue } from './durable-queue.ts'
import { BrokerEventEmitter } from './events.ts'
import { FateLedger } from './fates.ts'
import { Flushes } from './flushes.ts'
import type { Limits } from './limits.ts'
import type { Logger } from './logger.ts'
import type { Behaviour, Features } from './options.ts'
import { SlabPool } from './output-buffer.ts'
import { RetainedExpiry } from './retained-expiry.ts'
import { Router } from './router.ts'
import { SessionRegistry } from './session-registry.ts'
import { Subscriptions } from './subscriptions.ts'
import { SharedBound } from './shared-bound.ts'
import { StoreWatch } from './store-watch.ts'
import { SubscriptionTree } from './subscription-tree.ts'
import { Timers } from './timers.ts'
import { WillMessages } from './will-messages.ts'

/** No write buffer is held to less: a transport tells that it has drained only once it has held about this much. */
const WRITE_BUFFER_BYTES_MIN = 128 * 1024

/** What an engine is made of; everything is given, nothing is looked up in the surroundings. */
export interface EngineParts {
  readonly store: Store
  readonly clock: Clock
  readonly limits: Limits
  readonly features: Features
  readonly options: Behaviour
  readonly access: Access
  readonly logger: Logger
  /** Numbers from 0 to below 1. */
  readonly random: () => number
  /** A ClientID that nobody else has, for clients that bring none. */
  readonly newClientId: () => string
}

/** The rooms of one broker, and the doors between them. */
export class Engine {
  readonly store: Store
  readonly clock: Clock
  readonly limits: Limits
  readonly features: Features
  readonly options: Behaviour
  readonly access: Access
  readonly logger: Logger
  readonly random: () => number
  readonly newClientId: () => string
  readonly events: BrokerEventEmitter = new BrokerEventEmitter()
  readonly fates: FateLedger
  readonly timers: Timers
  readonly commits: Commits
  readonly tree: SubscriptionTree = new SubscriptionTree()
  /** The log's queues that are in use. */
  readonly queues: Map<QueueId, DurableQueue> = new Map()
  readonly slabs: SlabPool = new SlabPool()
  readonly flushes: Flushes
  /** Bounds what clients have not taken yet. */
  readonly writeBuffers: SharedBound
  /** Bounds what waits for sessions and groups that are not durable. */
  readonly transientQueues: SharedBound
  readonly router: Router
  readonly subscriptions: Subscriptions
  readonly sessions: SessionRegistry
  readonly wills: WillMessages
  readonly retainedExpiry: RetainedExpiry
  /** Network connections, accepted or not. */
  readonly connections: Set<Connection> = new Set()
  /** By ClientID: those that have been accepted. */
  readonly clients: Map<string, Connection> = new Map()
  /** Called when the last network connection has closed. */
  onAllClosed: (() => void) | undefined
  /** No connection is accepted any more. */
  isClosing = false

  constructor(parts: EngineParts) {
    this.store = parts.store
    this.clock = parts.clock
    this.limits = parts.limits
    this.features = parts.features
    this.options = parts.options
    this.access = parts.access
    this.logger = parts.logger
    this.random = parts.random
    this.newClientId = parts.newClientId
    this.fates = new FateLedger(parts.limits.recentDropsMax, () => parts.clock.now())
    this.fates.listen((drop) => this.tell((events) => events.emit('messageDropped', drop)))
    this.timers = new Timers(parts.clock, (error) => this.reportError(error))
    this.commits = new Commits(
      (error) => this.tell((events) => events.emit('storeFailed', error)),
      (error) => this.logger.error({ err: error }, 'what waited for a commit failed')
    )
    this.flushes = new Flushes(parts.clock)
    const { writeBufferBytesMax, writeBuffersBytesMax, transientQueuedBytesMax, transientQueuesBytesMax } = parts.limits
    this.writeBuffers = new SharedBound(writeBufferBytesMax, writeBuffersBytesMax, WRITE_BUFFER_BYTES_MIN)
    this.transientQueues = new SharedBound(transientQueuedBytesMax, transientQueuesBytesMax, 0)
    this.router = new Router(this)
    this.subscriptions = new Subscriptions(this)
    this.sessions = new SessionRegistry(this)
    this.wills = new WillMessages(this)
    this.retainedExpiry = new RetainedExpiry(this)
  }

  /** Opens the store and puts back what it holds. */
  async open(): Promise<void> {
    const contents = await this.store.open(new StoreWatch(this))
    for (const stored of contents.sessions) {
      this.sessions.restore(stored)
      const session = this.sessions.get(stored.session.clientId)
      if (session === undefined) continue
      for (const record of stored.subscriptions) {
        this.subscriptions.restore(session, record, parseSharedSubscription(record.topicFilter))
      }
    }
    for (const stored of contents.sharedGroups) {
      const shared = parseSharedSubscription(stored.group.filter)
      const inflight = contents.sessions.flatMap(({ progress }) =>
        progress.inflight.filter(({ group }) => group === stored.group.filter).map(({ sequence }) => sequence)
      )
      if (shared !== undefined) this.subscriptions.restoreGroup(stored, shared, inflight)
    }
    for (const stored of contents.sessions) await this.sessions.restoreInflight(stored)
    for (const will of contents.wills) this.wills.restore(will)
    if (this.store.retainedCount > 0) this.retainedExpiry.watch()
  }

  /** Tells the application what happened; a listener that throws is its mistake, and costs nobody a message. */
  tell(emit: (events: BrokerEventEmitter) => void): void {
    try {
      emit(this.events)
    } catch (error) {
      this.logger.error({ err: error }, 'a listener of the application failed')
    }
  }

  /** Calls back when everything changed so far is durable; if that fails, never. */
  afterCommit(callback: () => void): void {
    this.commits.wait(this.store.gatheringCommit, { onCommitted: callback, onCommitFailed() {} })
  }

  /** Resolves when everything changed so far is durable; rejects if that fails. */
  committed(): Promise<void> {
    return this.#committedThrough(this.store.gatheringCommit)
  }

  /** Resolves when nobody waits for a commit any longer, be it durable or lost. */
  async settled(): Promise<void> {
    while (this.commits.awaited > 0) await this.#committedThrough(this.commits.awaited).catch(() => {})
  }

  #committedThrough(commit: CommitNumber): Promise<void> {
    return new Promise((resolve, reject) => {
      this.commits.wait(commit, { onCommitted: () => resolve(), onCommitFailed: reject })
    })
  }

  /** The store could not be read. */
  reportStoreError(error: unknown): void {
    const failure = toError(error)
    this.logger.error({ err: failure }, 'the store could not be read')
    this.tell((events) => events.emit('storeFailed', failure))
  }

  /** Goes on at the end of this event-loop turn; what fails then has nobody else to tell. */
  defer(callback: () => void): void {
    this.clock.defer(() => {
      try {
        callback()
      } catch (error) {
        this.reportError(error)
      }
    })
  }

  /** Something failed that no client's packet had asked for: the broker goes on. */
  reportError(error: unknown): void {
    this.logger.error({ err: toError(error) }, 'what was to be done at this time failed')
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
