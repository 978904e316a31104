import type { Clock } from './clock.ts'

/** Due times are rounded up to this, so that thousands of keep alives share one wake-up. */
const GRANULARITY_MS = 100

/** What has a single timer and is called itself: a closure for each of a hundred thousand connections would add up. */
export interface TimerOwner {
  onTimer(): void
}

/** A wish to be called at a time; belongs to the `Timers` that made it. */
export class Timer {
  readonly owner: TimerOwner | (() => void)
  /** Undefined: it is not set. */
  slot: Slot | undefined = undefined
  /** Its neighbours in the slot. */
  previous: Timer | undefined = undefined
  next: Timer | undefined = undefined

  constructor(owner: TimerOwner | (() => void)) {
    this.owner = owner
  }

  get isSet(): boolean {
    return this.slot !== undefined
  }
}

/** The timers of one due time, in the order in which they were set. */
class Slot {
  readonly dueAtMs: number
  first: Timer | undefined = undefined
  last: Timer | undefined = undefined
  /** Where it sits in the heap. */
  index: number

  constructor(dueAtMs: number, index: number) {
    this.dueAtMs = dueAtMs
    this.index = index
  }

  append(timer: Timer): void {
    timer.slot = this
    timer.previous = this.last
    if (this.last === undefined) this.first = timer
    else this.last.next = timer
    this.last = timer
  }

  remove(timer: Timer): void {
    const { previous, next } = timer
    if (previous === undefined) this.first = next
    else previous.next = next
    if (next === undefined) this.last = previous
    else next.previous = previous
    timer.slot = undefined
    timer.previous = undefined
    timer.next = undefined
  }
}

/**
 * All the waiting of a broker on one timer of the host: keep alive, connect timeout, will delay, session expiry. An idle
 * broker with nothing to wait for does not wake up.
 *
 * ```
 *   heap of slots, by due time      12:00:00.1 ─▷ timer ⇄ timer ⇄ timer
 *                                   12:01:30.0 ─▷ timer ⇄ timer
 * ```
 * A storm of connections sets and moves its timers within few slots: that costs the same however many there are.
 */
export class Timers {
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  /** By due time; none of them is empty. */
  readonly #slots = new Map<number, Slot>()
  readonly #heap: Slot[] = []
  #armedFor = Infinity
  #disarm: (() => void) | undefined

  /** @param onError told of a timer that threw; those behind it are called all the same */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock
    this.#onError = onError
  }

  /** Makes a timer, not yet set; keep it and set it again rather than make another. */
  create(owner: TimerOwner | (() => void)): Timer {
    return new Timer(owner)
  }

  /** Sets or moves a timer. Infinity: never. */
  set(timer: Timer, dueAtMs: number): void {
    this.clear(timer)
    if (dueAtMs === Infinity) return
    this.#slotAt(Math.ceil(dueAtMs / GRANULARITY_MS) * GRANULARITY_MS).append(timer)
    this.#arm()
  }

  clear(timer: Timer): void {
    const { slot } = timer
    if (slot === undefined) return
    slot.remove(timer)
    if (slot.first === undefined) this.#removeSlot(slot)
  }

  /** Forgets every timer. */
  clearAll(): void {
    for (const slot of this.#heap) {
      for (let { first } = slot; first !== undefined; first = slot.first) slot.remove(first)
    }
    this.#slots.clear()
    this.#heap.length = 0
    this.#disarm?.()
    this.#disarm = undefined
    this.#armedFor = Infinity
  }

  #arm(): void {
    const first = this.#heap[0]
    if (first === undefined || first.dueAtMs >= this.#armedFor) return
    this.#disarm?.()
    this.#armedFor = first.dueAtMs
    this.#disarm = this.#clock.at(first.dueAtMs, () => this.#fire())
  }

  #fire(): void {
    this.#armedFor = Infinity
    this.#disarm = undefined
    const now = this.#clock.now()
    for (let slot = this.#heap[0]; slot !== undefined && slot.dueAtMs <= now; slot = this.#heap[0]) {
      if (slot.first !== undefined) this.#call(slot.first)
    }
    this.#arm()
  }

  #call(timer: Timer): void {
    this.clear(timer)
    try {
      if (typeof timer.owner === 'function') timer.owner()
      else timer.owner.onTimer()
    } catch (error) {
      this.#onError(error)
    }
  }

  #slotAt(dueAtMs: number): Slot {
    let slot = this.#slots.get(dueAtMs)
    if (slot === undefined) {
      slot = new Slot(dueAtMs, this.#heap.length)
      this.#slots.set(dueAtMs, slot)
      this.#heap.push(slot)
      this.#rise(slot)
    }
    return slot
  }

  #removeSlot(slot: Slot): void {
    this.#slots.delete(slot.dueAtMs)
    const last = this.#heap.pop()
    if (last === undefined || last === slot) return
    last.index = slot.index
    this.#heap[last.index] = last
    this.#rise(last)
    this.#sink(last)
  }

  #rise(slot: Slot): void {
    while (slot.index > 0) {
      const parent = this.#heap[(slot.index - 1) >> 1]
      if (parent === undefined || parent.dueAtMs <= slot.dueAtMs) return
      this.#swap(slot, parent)
    }
  }

  #sink(slot: Slot): void {
    for (;;) {
      const left = this.#heap[slot.index * 2 + 1]
      const right = this.#heap[slot.index * 2 + 2]
      const child = right !== undefined && left !== undefined && right.dueAtMs < left.dueAtMs ? right : left
      if (child === undefined || child.dueAtMs >= slot.dueAtMs) return
      this.#swap(slot, child)
    }
  }

  #swap(a: Slot, b: Slot): void {
    const index = a.index
    a.index = b.index
    b.index = index
    this.#heap[a.index] = a
    this.#heap[b.index] = b
  }
}
