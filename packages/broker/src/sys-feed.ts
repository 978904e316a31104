import { topicMatches } from '@godwit/protocol'
import type { FateClients } from './fate-clients.ts'
import type { Message } from './message.ts'
import { asTopicLevel, SYS_CLIENT_FATES, sysMessage, type SysValue } from './sys-values.ts'

/** A topic name has to fit into its two bytes of length. */
const TOPIC_BYTES_MAX = 0xffff
/** Rows without a change that are passed over before others get their turn. */
const ROWS_PER_TURN = 10_000

/** Whoever listens to topics of the broker's own. */
export interface SysListener {
  /** What its topics are matched against. */
  readonly matchFilter: string
  /** False: it cannot take anything at the moment. */
  readonly isReady: boolean
  take(message: Message, isRetained: boolean): void
}

/** Whose fates a filter asks for: everybody's, one client's as a topic level, or nobody's. */
type ClientSelection = { readonly level: string } | 'all' | 'none'

/**
 * How far one listener has got: it is sent what has changed since it was last sent everything, one message after another,
 * as fast as it takes them. What it cannot take is not dropped: it gets the value that there is when it can.
 */
export class SysFeed {
  readonly listener: SysListener
  readonly values: readonly SysValue[]
  readonly #clients: FateClients
  readonly #now: () => number
  readonly #selection: ClientSelection
  /** What changed up to this period has been sent; 0: nothing has been sent. */
  #through = 0
  /** What is being sent, and up to which period that goes. */
  #pass: Generator<Message | undefined, undefined> | undefined = undefined
  #passThrough = 0
  /** Up to which period it is to go. */
  #until = 0
  /** What is sent first is what a new subscription finds there: retained messages, so to speak. */
  #isRetained: boolean

  /** @param values of which those are taken that the listener's filter matches */
  constructor(listener: SysListener, values: readonly SysValue[], clients: FateClients, now: () => number, isRetained: boolean) {
    this.listener = listener
    this.values = values.filter(({ topicName }) => topicMatches(listener.matchFilter, topicName))
    this.#clients = clients
    this.#now = now
    this.#selection = selectionOf(listener.matchFilter)
    this.#isRetained = isRetained
  }

  /** Leaves out what has changed up to a period that has ended. */
  skipThrough(period: number): void {
    this.#through = period
    this.#isRetained = false
  }

  /** Goes for what has changed up to a period that has ended; after what it is still at. */
  begin(period: number): void {
    this.#until = period
    if (this.#pass === undefined) this.#beginPass()
  }

  /** Sends up to `limit` messages; returns how many steps it has gone. Fewer: it is done, or the listener is not ready. */
  run(limit: number): number {
    for (let steps = 0; steps < limit; steps++) {
      if (this.#pass === undefined || !this.listener.isReady) return steps
      const { done, value: message } = this.#pass.next()
      if (done === true) {
        this.#endPass()
        if (this.#pass === undefined) return steps
        continue
      }
      if (message === undefined) return limit
      this.listener.take(message, this.#isRetained)
    }
    return limit
  }

  #beginPass(): void {
    this.#passThrough = this.#until
    this.#pass = this.#changes(this.#through)
  }

  #endPass(): void {
    this.#pass = undefined
    this.#through = this.#passThrough
    this.#isRetained = false
    if (this.#until > this.#through) this.#beginPass()
  }

  /** What has changed since a period; undefined: nothing for a while. */
  *#changes(since: number): Generator<Message | undefined, undefined> {
    for (const value of this.values) if (value.changedIn > since) yield value.message(this.#now())
    if (this.#selection === 'none') return
    if (this.#selection === 'all') {
      for (let row = 0; row < this.#clients.rows; row++) {
        yield* this.#changesOf(row, since)
        if (row % ROWS_PER_TURN === ROWS_PER_TURN - 1) yield undefined
      }
      return
    }
    const row = this.#clients.rowOf(decodeURIComponent(this.#selection.level))
    if (row !== undefined) yield* this.#changesOf(row, since)
  }

  *#changesOf(row: number, since: number): Generator<Message, undefined> {
    if (!this.#clients.hasChanged(row, since)) return
    const client = `${SYS_CLIENT_FATES}${asTopicLevel(this.#clients.clientIdOf(row))}`
    for (const { fate, count } of this.#clients.changes(row, since)) {
      const topicName = `${client}/${fate}`
      const isSent = topicMatches(this.listener.matchFilter, topicName) && Buffer.byteLength(topicName) <= TOPIC_BYTES_MAX
      if (isSent) yield sysMessage(topicName, String(count), this.#now())
    }
  }
}

/**
 * Fates of single clients are many, and a dashboard that subscribes to `$SYS/#` does not expect them: only a filter that
 * says `fates` itself asks for them.
 */
function selectionOf(matchFilter: string): ClientSelection {
  const [, , fates, clients, client] = matchFilter.split('/')
  if (fates !== 'fates' || clients === undefined) return 'none'
  if (clients === '#') return 'all'
  if ((clients !== 'clients' && clients !== '+') || client === undefined) return 'none'
  if (client === '#' || client === '+') return 'all'
  return isEncoded(client) ? { level: client } : 'none'
}

/** Another level, such as `100%`, stands for no ClientID. */
function isEncoded(level: string): boolean {
  try {
    return asTopicLevel(decodeURIComponent(level)) === level
  } catch {
    return false
  }
}
