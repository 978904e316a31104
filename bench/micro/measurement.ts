import { AllocationMeter } from '../process/allocation-meter.ts'
import { median } from '../statistics.ts'
import { calibrate } from './calibration.ts'

/** Something small of which the cost is of interest. */
export interface Measurement {
  readonly title: string
  /** What is counted: operations of one round. */
  readonly operations: number
  /** Makes everything ready for a round, and returns what is timed. */
  readonly prepare: () => (() => void) | Promise<() => void>
  /** Default: 7. */
  readonly rounds?: number
}

/** What one operation costs. */
export interface Cost {
  /** Time of the fastest round, in nanoseconds: whatever comes between only adds. */
  readonly nanoseconds: number
  /** The same, in operations of the calibration, of which one runs before each round: it may be compared with that of other machines. */
  readonly relative: number
  /** Bytes allocated on V8's heap, the median of all rounds. */
  readonly bytes: number
  /** How far the median of all rounds is above the fastest, as a part of that. */
  readonly noise: number
}

const ROUNDS = 7
/** Rounds that go ahead: V8 compiles meanwhile. */
const WARM_UP = 2

/** Needs `--expose-gc`: each round begins without garbage of the one before. */
export async function measureCost({ operations, prepare, rounds = ROUNDS }: Measurement): Promise<Cost> {
  const nanoseconds: number[] = []
  const units: number[] = []
  const bytes: number[] = []
  const meter = new AllocationMeter()
  for (let round = -WARM_UP; round < rounds; round++) {
    const timed = await prepare()
    const unit = calibrate()
    globalThis.gc?.()
    meter.start()
    // The CPU time of a thread is too coarse on some systems: 4 ms.
    const startedAt = performance.now()
    timed()
    const passedMs = performance.now() - startedAt
    const allocated = meter.stop()
    if (round < 0) continue
    nanoseconds.push((passedMs * 1e6) / operations)
    units.push(unit)
    bytes.push(allocated.bytes / operations)
  }
  const least = Math.min(...nanoseconds)
  return {
    nanoseconds: least,
    relative: least / Math.min(...units),
    bytes: median(bytes),
    noise: median(nanoseconds) / least - 1
  }
}
