import {
  outboxBytes,
  type OutboxChanges,
  type OutboxContents,
  type OutboxMessage,
  type OutboxStore,
  type ReadLimit,
  type SequenceNumber
} from '@godwit/client'

/** Mistakes that a disk is to make, to see whether the simulation would notice. */
export const OUTBOX_FAULTS = {
  'tells too early': 'a commit resolves before it is made',
  'forgets releases': 'it does not keep that PUBREC has come',
  'forgets receptions': 'it does not keep which messages of QoS 2 were taken',
  'keeps receptions': 'it does not forget which messages of QoS 2 were taken',
  'numbers anew': 'after a restart sequence numbers begin at 1',
  'loses the oldest': 'a restart loses its oldest message'
} as const

export type OutboxFault = keyof typeof OUTBOX_FAULTS

interface Commit {
  readonly changes: OutboxChanges
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** The disk of one device, with the outbox on it: it outlives the program, and makes its commits step by step. */
export class SimOutboxDisk {
  readonly #random: () => number
  readonly #fault: OutboxFault | undefined
  #clientId: string | undefined = undefined
  #nextSequence: SequenceNumber = 1
  readonly #messages = new Map<SequenceNumber, OutboxMessage>()
  readonly #received = new Set<number>()
  #commit: Commit | undefined = undefined
  #failsNext = false
  /** Of a disk that tells too early: commits that it has yet to make. */
  #late: OutboxChanges[] = []
  /** How many QoS 2 messages were recorded as taken, in this life of the program. */
  #receptions = 0

  constructor(random: () => number, fault: OutboxFault | undefined) {
    this.#random = random
    this.#fault = fault
  }

  get messages(): number {
    return this.#messages.size
  }

  get receivedIdentifiers(): number {
    return this.#received.size
  }

  get receptions(): number {
    return this.#receptions
  }

  /** The outbox, for one life of the program. */
  outbox(): OutboxStore {
    this.#receptions = 0
    return {
      isDurable: true,
      open: () => Promise.resolve(this.#contents()),
      commit: (changes) => this.#begin(changes),
      read: (after, limit) => Promise.resolve(this.#read(after, limit)),
      close: () => Promise.resolve()
    }
  }

  /** The next commit finds no room. */
  failsNextCommit(): void {
    this.#failsNext = true
  }

  /** Makes the commit that is under way; false: there is none. */
  step(): boolean {
    const late = this.#late.shift()
    if (late !== undefined) {
      this.#apply(late)
      return true
    }
    const commit = this.#commit
    if (commit === undefined) return false
    this.#commit = undefined
    if (this.#failsNext) {
      this.#failsNext = false
      commit.reject(new Error('no space left on device'))
    } else {
      this.#apply(commit.changes)
      commit.resolve()
    }
    return true
  }

  /** The program dies. The commit that was under way is whole or absent; nobody hears of it. */
  crashes(): void {
    const commit = this.#commit
    this.#commit = undefined
    this.#late = []
    if (commit !== undefined && this.#random() < 0.5) this.#apply(commit.changes)
    if (this.#fault === 'loses the oldest') {
      const [oldest] = this.#messages.keys()
      if (oldest !== undefined) this.#messages.delete(oldest)
    }
    if (this.#fault === 'numbers anew') this.#nextSequence = 1
  }

  #contents(): OutboxContents {
    const bytes = [...this.#messages.values()].reduce((sum, message) => sum + outboxBytes(message), 0)
    return {
      clientId: this.#clientId,
      nextSequence: this.#nextSequence,
      messages: this.#messages.size,
      bytes,
      receivedIdentifiers: [...this.#received]
    }
  }

  #begin(changes: OutboxChanges): Promise<void> {
    if (this.#commit !== undefined) throw new Error('a commit was begun while another was under way')
    const { promise, resolve, reject }: PromiseWithResolvers<void> = Promise.withResolvers()
    if (this.#fault === 'tells too early') {
      this.#late.push(changes)
      resolve()
    } else {
      this.#commit = { changes, resolve, reject }
    }
    return promise
  }

  #apply({ clientId, put, release, remove, received, forgotten }: OutboxChanges): void {
    if (clientId !== undefined) this.#clientId = clientId
    for (const message of put) {
      if (message.sequence < this.#nextSequence) throw new Error(`message ${message.sequence} was put out of order`)
      this.#messages.set(message.sequence, message)
      this.#nextSequence = message.sequence + 1
    }
    for (const sequence of release) {
      const message = this.#messages.get(sequence)
      if (message === undefined) throw new Error(`message ${sequence} was released, and is not there`)
      if (this.#fault !== 'forgets releases') this.#messages.set(sequence, { ...message, isReleased: true })
    }
    for (const sequence of remove) this.#messages.delete(sequence)
    this.#receptions += received.length
    if (this.#fault !== 'forgets receptions') for (const identifier of received) this.#received.add(identifier)
    if (this.#fault !== 'keeps receptions') for (const identifier of forgotten) this.#received.delete(identifier)
  }

  #read(after: SequenceNumber, limit: ReadLimit): OutboxMessage[] {
    const read: OutboxMessage[] = []
    let bytes = 0
    for (const message of this.#messages.values()) {
      if (message.sequence <= after) continue
      bytes += outboxBytes(message)
      if (read.length === limit.messages || (read.length > 0 && bytes > limit.bytes)) break
      read.push(message)
    }
    return read
  }
}
