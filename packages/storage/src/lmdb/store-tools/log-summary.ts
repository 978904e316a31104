import type { SequenceNumber } from '../../stored-message.ts'

/** What a check has found in the log. */
export interface LogSummary {
  /** In the log, each once, whatever the number of its queues. */
  readonly messages: number
  /** Of those messages' payloads and topic names. */
  readonly messageBytes: number
  /** The highest sequence number that may have been given. */
  readonly sequencesGiven: SequenceNumber
}
