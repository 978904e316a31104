import type { Limits } from './limits.ts'

/** On the wire: the session does not expire ([5.0 3.1.2.11.2]). */
const NEVER = 0xffff_ffff

/** How long a session may outlive its connection, of what its client asked for: seconds; Infinity: it does not expire. */
export function expirySeconds(requested: number, { sessionExpirySecondsMax }: Limits): number {
  const seconds = Math.min(requested, sessionExpirySecondsMax)
  return seconds === NEVER ? Infinity : seconds
}

/** The same as it is written in CONNACK. */
export function toExpiryInterval(seconds: number): number {
  return seconds === Infinity ? NEVER : seconds
}
