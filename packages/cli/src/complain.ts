import { ConfigurationError, DataError, ListenError } from '@godwit/server'
import { ExitCode } from './exit-code.ts'

/** Says on standard error what is wrong, in a line for each mistake; what nobody expected is thrown on. */
export function complain(error: unknown): ExitCode {
  if (error instanceof ConfigurationError) {
    for (const line of error.lines) console.error(`godwit: ${line}`)
    return ExitCode.Misused
  }
  if (error instanceof DataError) {
    for (const line of error.lines) console.error(`godwit: ${line}`)
    return error.code === 'damaged' || error.code === 'format' ? ExitCode.DataUnreadable : ExitCode.Failed
  }
  if (error instanceof ListenError) {
    console.error(`godwit: ${error.message}`)
    return ExitCode.Failed
  }
  throw error
}
