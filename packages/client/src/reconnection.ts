import { ReasonCode } from '@godwit/protocol'
import type { ClientError } from './client-error.ts'
import { RECONNECT_DELAY_MAX_MS, RECONNECT_DELAY_MS } from './limits.ts'
import type { ReconnectOptions } from './options.ts'

/**
 * How long to wait before an attempt: doubled with each that failed, and scattered, so that a fleet that lost its server does not come back
 * as one.
 *
 * @param attempt from 1
 */
export function reconnectDelayMs(attempt: number, options: ReconnectOptions, random: () => number): number {
  const { minimumDelayMs = RECONNECT_DELAY_MS, maximumDelayMs = RECONNECT_DELAY_MAX_MS } = options
  const delayMs = Math.min(minimumDelayMs * 2 ** Math.min(attempt - 1, 30), maximumDelayMs)
  return Math.round(delayMs * (0.5 + random() / 2))
}

/** Trying again would change nothing, or would take the session from a client that took it from us, and so on for ever. */
export function mayRetry(error: ClientError, options: ReconnectOptions): boolean {
  if (options.shouldRetry !== undefined) return options.shouldRetry(error)
  switch (error.reasonCode) {
    case ReasonCode.SessionTakenOver:
    case ReasonCode.ServerMoved:
    case ReasonCode.UseAnotherServer:
    case ReasonCode.UnsupportedProtocolVersion:
      return false
    default:
      return error.code !== 'invalid-argument'
  }
}
