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
  readonly #byNumber: ReadonlyMap<number, LoadPublisher>
  /** Those that may have room. */
  readonly #awake = new Set<LoadPublisher>()
  #isTurnScheduled = false
  /** At a steady rate, of the publisher that is next. */
  #turn = 0
  #startedAtMs = 0
  #due = 0
  /** Messages are late because the clients cannot take more, not because this thread is. */
  #isHeldBack = false
  #timer: NodeJS.Timeout | undefined = undefined

  constructor(options: PublishingOptions) {
    this.#options = options
    this.#byNumber = new Map(options.publishers.map((each) => [each.publisher, each]))
  }

  get isDone(): boolean {
    return this.#options.publishers.every((each) => each.isDone)
  }

  start(): void {
    this.#isRunning = true
    this.#startedAtMs = nowMs()
    const { ratePerSecond, listensToBell } = this.#options
    if (ratePerSecond !== undefined) {
      this.#tick()
      return
    }
    this.#timer = setInterval(() => this.#writeOff(), WRITE_OFF_MS / 4)
    if (listensToBell) void this.#answerBell()
    this.#wakeAll()
  }

  stop(): void {
    this.#isRunning = false
    clearTimeout(this.#timer)
  }

  /** There may be room at one that is of this thread: publishes at the end of this turn of the event loop. */
  wake(number: number): void {
    const publisher = this.#byNumber.get(number)
    if (publisher === undefined || !this.#isRunning || this.#options.ratePerSecond !== undefined) return
    this.#awake.add(publisher)
    this.#scheduleTurn()
  }

  #wakeAll(): void {
    for (const publisher of this.#options.publishers) this.#awake.add(publisher)
    this.#scheduleTurn()
  }

  #scheduleTurn(): void {
    if (this.#isTurnScheduled) return
    this.#isTurnScheduled = true
    setImmediate(() => {
      this.#isTurnScheduled = false
      if (this.#isRunning) this.#fillWindows()
    })
  }

  #fillWindows(): void {
    let left = TURN_MAX
    for (const publisher of this.#awake) {
      const room = publisher.room
      if (room <= left) this.#awake.delete(publisher)
      if (room > 0) publisher.publishSeveral(Math.min(room, left))
      left -= Math.max(0, room)
      if (left <= 0) break
    }
    if (this.#awake.size > 0) this.#scheduleTurn()
  }

  #writeOff(): void {
    const timeMs = nowMs()
    for (const publisher of this.#options.publishers) {
      if (publisher.writeOff(timeMs, WRITE_OFF_MS)) this.#options.figures.writtenOff++
    }
    this.#wakeAll()
  }

  async #answerBell(): Promise<void> {
    const { bells, thread } = this.#options
    while (this.#isRunning) {
      const heard = Atomics.load(bells, thread)
      this.#wakeAll()
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
    const dueBy = 1 + Math.floor((timeMs - this.#startedAtMs) / intervalMs)
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
