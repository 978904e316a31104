import type { QoS } from '@godwit/protocol'
import { notAccepted } from './misuse.ts'

/**
 * A whole number within bounds.
 *
 * @throws {Misuse} that names the flag, if it is not one
 */
export function wholeNumber(flag: string, text: string, minimum: number, maximum: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (value >= minimum && value <= maximum) return value
  throw notAccepted(flag, text, `a whole number from ${minimum} to ${maximum}`)
}

/** What a timer can wait for: about 24 days. */
const SECONDS_MAX = 2_000_000

/**
 * Seconds, also fractions of them, in milliseconds.
 *
 * @throws {Misuse} that names the flag
 */
export function milliseconds(flag: string, seconds: string): number {
  const value = /^\d+(\.\d+)?$/.test(seconds) ? Number(seconds) : Number.NaN
  if (value <= SECONDS_MAX) return value * 1000
  throw notAccepted(flag, seconds, `a number of seconds from 0 to ${SECONDS_MAX}`)
}

/** @throws {Misuse} that names the flag */
export function qualityOfService(flag: string, text: string): QoS {
  switch (text) {
    case '0':
      return 0
    case '1':
      return 1
    case '2':
      return 2
    default:
      throw notAccepted(flag, text, '0, 1 or 2')
  }
}
