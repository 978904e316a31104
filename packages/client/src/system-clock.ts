import type { Clock } from './clock.ts'

/** Timers of Node and of browsers hold at most 2^31 - 1 ms, about 24.8 days; above that they fire at once. */
const LONGEST_TIMEOUT_MS = 0x7fff_ffff

/**
 * The time of the process or page: steady, so that a corrected wall clock cuts no keep alive short. Its timers keep a Node process alive, as
 * the socket of a connected client does: a client that waits for its next attempt is at work.
 *
 * @param defer how this platform calls back at the end of an event-loop turn
 */
export function makeSystemClock(defer: (callback: () => void) => void): Clock {
  const { timeOrigin } = performance
  const now = (): number => timeOrigin + performance.now()
  return {
    now,
    defer,
    at(timeMs, callback): () => void {
      let timeout = arm()
      // Timers count whole milliseconds and may fire a little early: whoever compares with `now` would find the time not yet come.
      function fire(): void {
        if (now() < timeMs) timeout = arm()
        else callback()
      }
      function arm(): ReturnType<typeof setTimeout> {
        return setTimeout(fire, Math.min(Math.max(Math.ceil(timeMs - now()), 0), LONGEST_TIMEOUT_MS))
      }
      return () => clearTimeout(timeout)
    }
  }
}
