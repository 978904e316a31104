import type { OutboxChanges, OutboxMessage, SequenceNumber } from './outbox-store.ts'

/** The changes that go into one commit, each reduced to what it comes to: a message that is put and removed is neither. */
export class OutboxBatch {
  #clientId: string | undefined = undefined
  readonly #put = new Map<SequenceNumber, OutboxMessage>()
  readonly #released = new Set<SequenceNumber>()
  readonly #removed = new Set<SequenceNumber>()
  /** Packet Identifier → whether it is received or forgotten in the end. */
  readonly #received = new Map<number, boolean>()
  readonly #callbacks: (() => void)[] = []
  #lastSequence: SequenceNumber = 0

  get isEmpty(): boolean {
    return this.isVoid && this.#callbacks.length === 0 && this.#lastSequence === 0
  }

  /** There is nothing for the store to change: all that was put is gone again. */
  get isVoid(): boolean {
    const changes = this.#put.size + this.#released.size + this.#removed.size + this.#received.size
    return this.#clientId === undefined && changes === 0
  }

  /** Of the messages that were put, whether or not they were removed again; 0: none. */
  get lastSequence(): SequenceNumber {
    return this.#lastSequence
  }

  claim(clientId: string): void {
    this.#clientId = clientId
  }

  put(message: OutboxMessage): void {
    this.#put.set(message.sequence, message)
    this.#lastSequence = message.sequence
  }

  release(sequence: SequenceNumber): void {
    const put = this.#put.get(sequence)
    if (put === undefined) this.#released.add(sequence)
    else this.#put.set(sequence, { ...put, isReleased: true })
  }

  remove(sequence: SequenceNumber): void {
    this.#released.delete(sequence)
    if (!this.#put.delete(sequence)) this.#removed.add(sequence)
  }

  received(packetIdentifier: number): void {
    this.#received.set(packetIdentifier, true)
  }

  forget(packetIdentifier: number): void {
    this.#received.set(packetIdentifier, false)
  }

  /** To be called once this is committed. */
  callBack(callback: () => void): void {
    this.#callbacks.push(callback)
  }

  callBackAll(): void {
    for (const callback of this.#callbacks) callback()
  }

  /** Adds what came after: this was not committed. */
  absorb(later: OutboxBatch): void {
    if (later.#clientId !== undefined) this.claim(later.#clientId)
    for (const message of later.#put.values()) this.put(message)
    for (const sequence of later.#released) this.release(sequence)
    for (const sequence of later.#removed) this.remove(sequence)
    for (const [packetIdentifier, isReceived] of later.#received) this.#received.set(packetIdentifier, isReceived)
    this.#callbacks.push(...later.#callbacks)
    this.#lastSequence = Math.max(this.#lastSequence, later.#lastSequence)
  }

  changes(): OutboxChanges {
    return {
      clientId: this.#clientId,
      put: [...this.#put.values()],
      release: [...this.#released],
      remove: [...this.#removed],
      received: this.#identifiers(true),
      forgotten: this.#identifiers(false)
    }
  }

  #identifiers(isReceived: boolean): number[] {
    return [...this.#received].filter(([, each]) => each === isReceived).map(([packetIdentifier]) => packetIdentifier)
  }
}
