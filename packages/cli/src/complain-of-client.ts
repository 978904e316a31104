import { ClientError, type ClientErrorCode } from '@godwit/client'
import { ExitCode } from './exit-code.ts'
import { Misuse } from './misuse.ts'

/** Says one thing on standard error. */
export type Tell = (what: string) => void

/** @param quiet as `--quiet`: nothing of what happens at run time is told */
export function teller(quiet: boolean | undefined): Tell {
  return quiet === true ? () => undefined : (what) => console.error(`godwit: ${what}`)
}

/** Tells what went wrong; what nobody expected is thrown on. */
export function complainOfClient(error: unknown, tell: Tell): ExitCode {
  if (error instanceof Misuse) {
    // Also with --quiet: it is no runtime error.
    teller(false)(error.message)
    return ExitCode.Misused
  }
  if (error instanceof ClientError) {
    tell(error.message)
    return exitCodeOf(error)
  }
  throw error
}

/** What the command ends with: the server's Reason Code if it gave one. */
export function exitCodeOf(error: ClientError): ExitCode {
  return error.reasonCode ?? BY_CODE[error.code] ?? ExitCode.Failed
}

const BY_CODE: Partial<Record<ClientErrorCode, ExitCode>> = {
  'invalid-argument': ExitCode.Misused,
  unreachable: ExitCode.Unreachable,
  'connection-lost': ExitCode.Unreachable,
  'keep-alive-timeout': ExitCode.Unreachable,
  'no-responders': ExitCode.NoResponders,
  timeout: ExitCode.TimedOut
}
