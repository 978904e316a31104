import { ClientError } from './client-error.ts'
import {
  type OutboxChanges,
  type OutboxContents,
  type OutboxMessage,
  type OutboxStore,
  outboxBytes,
  type ReadLimit,
  type SequenceNumber
} from './outbox-store.ts'

/**
 * Keeps what a client has accepted in memory: it survives the connection and the client, not the process. What is in it when it is closed is
 * there for the next client that gets the same object.
 */
export function memoryOutbox(): OutboxStore {
  return new MemoryOutbox()
}

class MemoryOutbox implements OutboxStore {
  readonly isDurable = false
  #isOpen = false
  #clientId: string | undefined = undefined
  #nextSequence: SequenceNumber = 1
  /** In the order of their numbers, since that is how they come. */
  readonly #messages = new Map<SequenceNumber, OutboxMessage>()
  readonly #received = new Set<number>()

  async open(): Promise<OutboxContents> {
    if (this.#isOpen) {
      throw new ClientError('outbox-failed', 'the outbox is in use by another client: each needs a memoryOutbox() of its own')
    }
    this.#isOpen = true
    let bytes = 0
    for (const message of this.#messages.values()) bytes += outboxBytes(message)
    return {
      clientId: this.#clientId,
      nextSequence: this.#nextSequence,
      messages: this.#messages.size,
      bytes,
      receivedIdentifiers: [...this.#received]
    }
  }

  async commit(changes: OutboxChanges): Promise<void> {
    this.#clientId = changes.clientId ?? this.#clientId
    for (const message of changes.put) {
      this.#messages.set(message.sequence, message)
      this.#nextSequence = message.sequence + 1
    }
    for (const sequence of changes.release) {
      const message = this.#messages.get(sequence)
      if (message !== undefined) this.#messages.set(sequence, { ...message, isReleased: true })
    }
    for (const sequence of changes.remove) this.#messages.delete(sequence)
    for (const packetIdentifier of changes.received) this.#received.add(packetIdentifier)
    for (const packetIdentifier of changes.forgotten) this.#received.delete(packetIdentifier)
  }

  async read(afterSequence: SequenceNumber, limit: ReadLimit): Promise<readonly OutboxMessage[]> {
    const read: OutboxMessage[] = []
    let bytes = 0
    for (const message of this.#messages.values()) {
      if (message.sequence <= afterSequence) continue
      bytes += outboxBytes(message)
      if (read.length === limit.messages || (read.length > 0 && bytes > limit.bytes)) break
      read.push(message)
    }
    return read
  }

  async close(): Promise<void> {
    this.#isOpen = false
  }
}
