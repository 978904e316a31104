import { StoreError, StoreMisuse } from '@godwit/server/store-tools'
import { ExitCode } from './exit-code.ts'

/** Says on standard error why a store's tool could not do what it was asked for; what nobody expected is thrown on. */
export function complainOfStore(error: unknown): ExitCode {
  if (error instanceof StoreMisuse) {
    console.error(`godwit: ${error.message}`)
    return ExitCode.Misused
  }
  if (error instanceof StoreError) {
    console.error(`godwit: ${error.message}`)
    return error.code === 'damaged' || error.code === 'format' ? ExitCode.DataUnreadable : ExitCode.Failed
  }
  throw error
}

/** Where a tool tells of what it finds, while it goes on. */
export function tell(what: string): void {
  console.error(`godwit: ${what}`)
}
