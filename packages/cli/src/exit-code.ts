/** What the command ends with. */
export const ExitCode = {
  Done: 0,
  /** It was asked for the right thing, but something at run time did not allow it: a port in use, say. */
  Failed: 1,
  /** A flag, a verb or the configuration is not what is accepted. */
  Misused: 2,
  /** The data is damaged, or of a format that this version does not read: starting again does not help. */
  DataUnreadable: 3
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]
