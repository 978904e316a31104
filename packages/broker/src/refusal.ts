import { type ErrorReasonCode, type PublishReasonCode, ReasonCode } from '@godwit/protocol'
import type { Fate } from './fates.ts'

/** Why a message is not accepted, and what becomes of it. */
export interface Refusal {
  /** For a publisher that can be told so. */
  readonly reasonCode: ErrorReasonCode & PublishReasonCode
  readonly fate: Fate
  readonly reason: string
}

/** The store fails, and would have to keep the message. */
export const STORE_FAILED: Refusal = {
  reasonCode: ReasonCode.QuotaExceeded,
  fate: 'store-failed',
  reason: 'this server cannot keep messages at the moment: its store fails'
}

/** A limit would be passed. */
export function quotaExceeded(reason: string): Refusal {
  return { reasonCode: ReasonCode.QuotaExceeded, fate: 'quota-exceeded', reason }
}

/** Too much waits already where the message would have to wait, and the rules say that its publisher is to be told. */
export function queueFull(reason: string): Refusal {
  return { reasonCode: ReasonCode.QuotaExceeded, fate: 'queue-full-refused', reason }
}
