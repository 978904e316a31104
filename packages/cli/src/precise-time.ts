/** How far the two may be apart before the wall clock is believed: it moves in whole milliseconds. */
const TOLERANCE_MS = 2

/** The time in milliseconds since the Unix epoch, with fractions, also when the wall clock has been set since this process began. */
export function preciseNowMs(): number {
  const precise = performance.timeOrigin + performance.now()
  const wall = Date.now()
  return Math.abs(precise - wall) <= TOLERANCE_MS ? precise : wall
}
