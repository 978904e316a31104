import type { ErrorReasonCode } from '@godwit/protocol'

/** What the command ends with. */
export const ExitCode = {
  Done: 0,
  /** It was asked for the right thing, but something at run time did not allow it: a port in use, say. */
  Failed: 1,
  /** A flag, a verb or the configuration is not what is accepted. */
  Misused: 2,
  /** The data is damaged, or of a format that this version does not read: starting again does not help. */
  DataUnreadable: 3,
  /** No server could be reached, or the connection was lost for good. */
  Unreachable: 4,
  /** `pub --outbox`: what was published is safe in the outbox, and not acknowledged yet. */
  Stored: 5,
  /** `request`: nobody has subscribed to the topic. */
  NoResponders: 6,
  /** Time ran out: `--timeout`, and as mosquitto_sub has it, `-W`. */
  TimedOut: 27
} as const

/** A server that refuses gives its Reason Code, 128 to 162, which is the command's as well: as mosquitto_pub and mosquitto_sub do. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode] | ErrorReasonCode
