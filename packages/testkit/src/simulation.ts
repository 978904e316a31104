import { SimClock } from './sim-clock.ts'
import { SimNetwork, type NetworkShape } from './sim-network.ts'
import type { Stepped, SteppedStore } from './stepped-store.ts'

/** Far more steps than any scenario takes to come to rest. */
const STEPS_MAX = 20_000_000

/** Time, network and store of one test, moved together: nothing in it waits for a real timer, socket or disk. */
export class Simulation<Held extends Stepped = SteppedStore> {
  readonly clock: SimClock
  readonly store: Held
  readonly network: SimNetwork

  constructor(shape: NetworkShape, store: Held, clock: SimClock = new SimClock()) {
    this.network = new SimNetwork(shape, clock)
    this.store = store
    this.clock = clock
  }

  /** Resolves once nothing moves any more: no commit, no chunk, no end of a turn, no promise. Time stands still meanwhile. */
  async settles(): Promise<void> {
    let steps = 0
    for (;;) {
      while (this.#step()) {
        if (++steps > STEPS_MAX) throw new Error(`still not settled after ${STEPS_MAX} steps`)
      }
      await promisesSettle()
      if (!this.#step()) return
    }
  }

  /** What a host does first in a turn comes first; timers that are due need no time to pass. */
  #step(): boolean {
    return this.store.step() || this.network.step() || this.clock.runDeferred() || this.clock.advanceToNext(this.clock.now())
  }

  /** Moves the time on, timer by timer; everything settles before the next one. */
  async advances(milliseconds: number): Promise<void> {
    await this.settles()
    const untilMs = this.clock.now() + milliseconds
    while (this.clock.advanceToNext(untilMs)) await this.settles()
    await this.settles()
  }
}

/** The host empties its queue of microtasks before it begins another turn. */
function promisesSettle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
