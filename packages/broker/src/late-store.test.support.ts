import type {
  Backlog,
  CommitNumber,
  Consumer,
  LogEntry,
  MemoryStore,
  QueueId,
  QueuePosition,
  RetainedPage,
  SequenceNumber,
  SessionRecord,
  SharedGroupRecord,
  Store,
  StoreContents,
  StoreListener,
  StoredMessage,
  SubscriptionRecord,
  WillRecord
} from '@godwit/storage'

/** A store as one on another machine would be: what is read comes in a later turn, as it was when it was asked for. */
export class LateStore implements Store {
  readonly #store: MemoryStore
  readonly #later: (task: () => void) => void

  constructor(store: MemoryStore, later: (task: () => void) => void) {
    this.#store = store
    this.#later = later
  }

  get failure(): Error | undefined {
    return this.#store.failure
  }

  get gatheringCommit(): CommitNumber {
    return this.#store.gatheringCommit
  }

  get lastSequence(): SequenceNumber {
    return this.#store.lastSequence
  }

  get storedBytes(): number {
    return this.#store.storedBytes
  }

  get retainedCount(): number {
    return this.#store.retainedCount
  }

  open(listener: StoreListener): Promise<StoreContents> {
    return this.#store.open(listener)
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  openQueue(topicFilter: string): QueueId {
    return this.#store.openQueue(topicFilter)
  }

  dropQueue(queue: QueueId): void {
    this.#store.dropQueue(queue)
  }

  trimQueue(queue: QueueId, through: SequenceNumber): void {
    this.#store.trimQueue(queue, through)
  }

  backlog(position: QueuePosition): Backlog {
    return this.#store.backlog(position)
  }

  append(message: StoredMessage, queues: readonly QueueId[]): SequenceNumber {
    return this.#store.append(message, queues)
  }

  read(positions: readonly QueuePosition[], limit: number): Promise<readonly LogEntry[]> {
    return this.#answer(this.#store.read(positions, limit))
  }

  putSession(record: SessionRecord): void {
    this.#store.putSession(record)
  }

  deleteSession(clientId: string): void {
    this.#store.deleteSession(clientId)
  }

  putSubscription(clientId: string, record: SubscriptionRecord): void {
    this.#store.putSubscription(clientId, record)
  }

  deleteSubscription(clientId: string, topicFilter: string): void {
    this.#store.deleteSubscription(clientId, topicFilter)
  }

  putSharedGroup(record: SharedGroupRecord): void {
    this.#store.putSharedGroup(record)
  }

  deleteSharedGroup(filter: string): void {
    this.#store.deleteSharedGroup(filter)
  }

  touch(consumer: Consumer): void {
    this.#store.touch(consumer)
  }

  putReceived(clientId: string, packetIdentifier: number, message: StoredMessage): void {
    this.#store.putReceived(clientId, packetIdentifier, message)
  }

  deleteReceived(clientId: string, packetIdentifier: number): void {
    this.#store.deleteReceived(clientId, packetIdentifier)
  }

  putInflight(clientId: string, packetIdentifier: number, message: StoredMessage): void {
    this.#store.putInflight(clientId, packetIdentifier, message)
  }

  deleteInflight(clientId: string, packetIdentifier: number): void {
    this.#store.deleteInflight(clientId, packetIdentifier)
  }

  putWill(record: WillRecord): void {
    this.#store.putWill(record)
  }

  deleteWill(clientId: string): void {
    this.#store.deleteWill(clientId)
  }

  hasRetained(topicName: string): boolean {
    return this.#store.hasRetained(topicName)
  }

  putRetained(message: StoredMessage, sequence: SequenceNumber): void {
    this.#store.putRetained(message, sequence)
  }

  deleteRetained(topicName: string): void {
    this.#store.deleteRetained(topicName)
  }

  readRetained(topicFilter: string, after: string | undefined, limit: number): Promise<RetainedPage> {
    return this.#answer(this.#store.readRetained(topicFilter, after, limit))
  }

  #answer<T>(value: T): Promise<T> {
    return new Promise((resolve) => this.#later(() => resolve(value)))
  }
}
