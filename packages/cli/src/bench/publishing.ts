import type { LoadPublisher } from './load-publisher.ts'
import { nowMs } from './now.ts'
import type { ThreadFigures } from './thread-figures.ts'

/** A publisher whose window has been full for so long of what is not delivered goes on without it. */
const WRITE_OFF_MS = 1_000
/** At a steady rate: messages that wait in a client; then the next ones wait for their turn here, and their latency counts from then. */
const WAITING_MAX = 1_000
/** Messages that are published before sockets are looked at again. */
const TURN_MAX = 2_000

export interface PublishingOptions {
  readonly publishers: readonly LoadPublisher[]
  /** Of this thread; undefined: as fast as the windows allow. */
  readonly ratePerSecond: number | undefined
  readonly figures: ThreadFigures
  /** Cell of this thread, and all of them: see `SharedProgress`. */
  readonly bells: Int32Array<SharedArrayBuffer>
  readonly thread: number
  /** Deliveries in other threads make room here. */
  readonly listensToBell: boolean
}

/** The publishers of one thread at work: in a closed loop, or at a steady rate, where each message has its time. */
export class Publishing {
  readonly #options: PublishingOptions
  #isRunning = false
  #isWakeScheduled = false
  /** Of the publisher that is next. */
  #turn = 0
  #startedAtMs = 0
  #due = 0
  /** Messages are late because the clients cannot take more, not because this thread is. */
  #isHeldBack = false
  #timer: NodeJS.Timeout | undefined = undefined
  #lastPublishedAtMs = 0

  constructor(options: PublishingOptions) {
    this.#options = options
  }

  get isDone(): boolean {
    return this.#options.publishers.every((each) => each.isDone)
  }

  start(): void {
    this.#isRunning = true
    this.#startedAtMs = nowMs()
    this.#lastPublishedAtMs = this.#startedAtMs
    const { ratePerSecond, listensToBell } = this.#options
    if (ratePerSecond !== undefined) {
      this.#tick()
      return
    }
    this.#timer = setInterval(() => this.#writeOff(), WRITE_OFF_MS / 4)
    if (listensToBell) void this.#answerBell()
    this.wake()
  }

  stop(): void {
    this.#isRunning = false
    clearTimeout(this.#timer)
  }

  /** There may be room: publishes at the end of this turn of the event loop. */
  wake(): void {
    if (this.#isWakeScheduled || !this.#isRunning || this.#options.ratePerSecond !== undefined) return
    this.#isWakeScheduled = true
    setImmediate(() => {
      this.#isWakeScheduled = false
      if (this.#isRunning) this.#fillWindows()
    })
  }

  #fillWindows(): void {
    const { publishers } = this.#options
    let left = TURN_MAX
    let hasPublished = false
    for (let count = publishers.length; count > 0 && left > 0; count--) {
      const publisher = this.#next()
      const room = publisher === undefined ? 0 : Math.min(publisher.room, left)
      if (publisher === undefined || room <= 0) continue
      publisher.publishSeveral(room)
      left -= room
      hasPublished = true
    }
    if (hasPublished) this.#lastPublishedAtMs = nowMs()
    if (left <= 0) this.wake()
  }

  #writeOff(): void {
    if (nowMs() - this.#lastPublishedAtMs < WRITE_OFF_MS) return
    for (const publisher of this.#options.publishers) {
      if (!publisher.isDone && publisher.underWay === 0 && publisher.writeOff()) this.#options.figures.writtenOff++
    }
    this.wake()
  }

  async #answerBell(): Promise<void> {
    const { bells, thread } = this.#options
    while (this.#isRunning) {
      const heard = Atomics.load(bells, thread)
      this.wake()
      const { async: isAsync, value } = Atomics.waitAsync(bells, thread, heard, WRITE_OFF_MS)
      if (isAsync) await value
    }
  }

  /** Publishes what has become due; then sleeps for a millisecond, as timers do. */
  #tick(): void {
    if (!this.#isRunning) return
    const { publishers, ratePerSecond = 0, figures } = this.#options
    const intervalMs = 1000 / ratePerSecond
    const timeMs = nowMs()
    const dueBy = Math.floor((timeMs - this.#startedAtMs) / intervalMs)
    // A timer that is on time finds what became due since the one before.
    if (!this.#isHeldBack && this.#due < dueBy) {
      figures.lagMs = Math.max(figures.lagMs, timeMs - this.#startedAtMs - this.#due * intervalMs)
    }
    let left = TURN_MAX
    while (this.#due < dueBy && left > 0) {
      const publisher = this.#firstWithRoom()
      if (publisher === undefined) break
      // What a broker is not ready for is late by its fault.
      const dueAtMs = this.#isHeldBack ? this.#startedAtMs + this.#due * intervalMs : nowMs()
      publisher.publish(dueAtMs)
      this.#due++
      left--
    }
    this.#isHeldBack = this.#due < dueBy && left > 0
    if (this.#due < dueBy && left === 0) setImmediate(() => this.#tick())
    else if (publishers.some((each) => !each.isDone)) this.#timer = setTimeout(() => this.#tick(), 1)
  }

  #firstWithRoom(): LoadPublisher | undefined {
    for (let count = this.#options.publishers.length; count > 0; count--) {
      const publisher = this.#next()
      if (publisher !== undefined && !publisher.isDone && publisher.waiting < WAITING_MAX) return publisher
    }
    return undefined
  }

  #next(): LoadPublisher | undefined {
    const { publishers } = this.#options
    this.#turn = this.#turn + 1 < publishers.length ? this.#turn + 1 : 0
    return publishers[this.#turn]
  }
}
