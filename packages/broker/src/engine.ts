import type { CommitNumber, QueueId, SequenceNumber, Store, StoreContents } from '@godwit/storage'
import { parseSharedSubscription } from '@godwit/protocol'
import type { Access } from './access.ts'
import type { Clock } from './clock.ts'
import { Commits } from './commits.ts'
import type { Connection } from './connection.ts'
import type { DurableQueue } from './durable-queue.ts'
import { Elisions } from './elisions.ts'
import { BrokerEventEmitter } from './events.ts'
import { FateLedger } from './fates.ts'
import { Flushes } from './flushes.ts'
import { Histories } from './histories.ts'
import type { HistoryRule } from './history-rules.ts'
import type { Limits } from './limits.ts'
import type { Logger } from './logger.ts'
import type { Message } from './message.ts'
import type { Behaviour, Features } from './options.ts'
import { Overflow } from './overflow.ts'
import type { OverflowRule } from './overflow-rules.ts'
import { SlabPool } from './output-buffer.ts'
import { PublishScratch } from './publish-writer.ts'
import { RetainedExpiry } from './retained-expiry.ts'
import { Router } from './router.ts'
import { SessionRegistry } from './session-registry.ts'
import { Subscriptions } from './subscriptions.ts'
import { SharedBound } from './shared-bound.ts'
import { StoreWatch } from './store-watch.ts'
import { SubscriptionTree } from './subscription-tree.ts'
import { SysTopics } from './sys-topics.ts'
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
  readonly overflow: readonly OverflowRule[]
  /** Default: none. */
  readonly history?: readonly HistoryRule[]
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
  readonly tree: SubscriptionTree
  /** The log's queues that are in use. */
  readonly queues: Map<QueueId, DurableQueue> = new Map()
  readonly slabs: SlabPool = new SlabPool()
  readonly publishScratch: PublishScratch = new PublishScratch()
  readonly elisions: Elisions = new Elisions()
  readonly flushes: Flushes
  /** Bounds what clients have not taken yet. */
  readonly writeBuffers: SharedBound
  /** Bounds what waits for sessions and groups that are not durable. */
  readonly transientQueues: SharedBound
  readonly overflow: Overflow
  readonly histories: Histories
  readonly router: Router
  readonly subscriptions: Subscriptions
  readonly sessions: SessionRegistry
  readonly wills: WillMessages
  readonly retainedExpiry: RetainedExpiry
  readonly sysTopics: SysTopics
  /** Packets of all types, from and to all clients, since the broker started. */
  readonly traffic: { packetsReceived: number; packetsSent: number } = { packetsReceived: 0, packetsSent: 0 }
  /** Network connections, accepted or not. */
  readonly connections: Set<Connection> = new Set()
  /** By ClientID: those that have been accepted. */
  readonly clients: Map<string, Connection> = new Map()
  readonly now: () => number
  /** When the input that is being handled came, or rather when the broker began to handle it. */
  inputAtMs = 0
  /** Called when the last network connection has closed. */
  onAllClosed: (() => void) | undefined
  /** No connection is accepted any more. */
  isClosing = false

  constructor(parts: EngineParts) {
    this.store = parts.store
    this.clock = parts.clock
    this.now = () => parts.clock.now()
    this.limits = parts.limits
    this.features = parts.features
    this.options = parts.options
    this.access = parts.access
    this.logger = parts.logger
    this.random = parts.random
    this.tree = new SubscriptionTree(parts.random)
    this.newClientId = parts.newClientId
    this.fates = new FateLedger(parts.limits.recentDropsMax, this.now, parts.limits.fateClientsMax)
    this.fates.listen((drop) => {
      if (this.events.listenerCount('messageDropped') > 0) this.tell((events) => events.emit('messageDropped', drop))
    })
    this.timers = new Timers(parts.clock, (error) => this.reportError(error))
    this.commits = new Commits(
      () => parts.store.hasten(),
      (error) => this.tell((events) => events.emit('storeFailed', error)),
      (error) => this.logger.error({ err: error }, 'what waited for a commit failed')
    )
    this.flushes = new Flushes(parts.clock)
    const { writeBufferBytesMax, writeBuffersBytesMax, transientQueuedBytesMax, transientQueuesBytesMax } = parts.limits
    this.writeBuffers = new SharedBound(writeBufferBytesMax, writeBuffersBytesMax, WRITE_BUFFER_BYTES_MIN)
    this.transientQueues = new SharedBound(transientQueuedBytesMax, transientQueuesBytesMax, 0)
    this.overflow = new Overflow({
      rules: parts.overflow,
      limits: parts.limits,
      store: parts.store,
      clock: parts.clock,
      timers: this.timers,
      fates: this.fates,
      defer: (callback) => this.defer(callback),
      publish: (message) => this.#publishIfTaken(message),
      reportStoreError: (error) => this.reportStoreError(error)
    })
    this.histories = new Histories(this, parts.history ?? [])
    this.router = new Router(this)
    this.subscriptions = new Subscriptions(this)
    this.sessions = new SessionRegistry(this)
    this.wills = new WillMessages(this)
    this.retainedExpiry = new RetainedExpiry(this)
    this.sysTopics = new SysTopics(this, parts.options.sysIntervalSeconds)
  }

  /** Opens the store and puts back what it holds. */
  async open(): Promise<void> {
    const contents = await this.store.open(new StoreWatch(this))
    this.sysTopics.open()
    this.histories.open(contents)
    for (const stored of contents.sessions) {
      this.sessions.restore(stored)
      const session = this.sessions.get(stored.session.clientId)
      if (session === undefined) continue
      for (const record of stored.subscriptions) {
        this.subscriptions.restore(session, record, parseSharedSubscription(record.topicFilter))
      }
    }
    const inflight = inflightByGroup(contents)
    for (const stored of contents.sharedGroups) {
      const { filter } = stored.group
      const shared = parseSharedSubscription(filter)
      if (shared !== undefined) this.subscriptions.restoreGroup(stored, shared, inflight.get(filter) ?? [])
    }
    // Whoever needs a queue has opened it by now: sessions, groups and histories.
    for (const { queue } of contents.queues) {
      if (!this.queues.has(queue) && !this.histories.has(queue)) this.store.dropQueue(queue)
    }
    for (const stored of contents.sessions) await this.sessions.restoreInflight(stored)
    this.sessions.startExpiries()
    this.overflow.begin()
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

  /** Resolves when whatever waits for a commit by now has been answered; rejects if that fails. */
  answered(): Promise<void> {
    return this.#committedThrough(this.commits.awaited)
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

  #publishIfTaken(message: Message): boolean {
    if (this.router.refusalOf(message) !== undefined) return false
    this.router.publish(message)
    return true
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

/** What members of groups had in flight. */
function inflightByGroup({ sessions }: StoreContents): Map<string, SequenceNumber[]> {
  const sequences = new Map<string, SequenceNumber[]>()
  for (const { progress } of sessions) {
    for (const { group, sequence } of progress.inflight) {
      if (group === undefined) continue
      const others = sequences.get(group)
      if (others === undefined) sequences.set(group, [sequence])
      else others.push(sequence)
    }
  }
  return sequences
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
