import { backupStore, restoreStore, type StoreSummary } from '@godwit/server/store-tools'
import { complainOfStore, tell } from './complain-of-store.ts'
import { ExitCode } from './exit-code.ts'
import { bytesText, countText } from './quantities.ts'

export interface StoreBackupFlags {
  readonly verify: boolean
}

export interface StoreRestoreFlags {
  readonly verify: boolean
  readonly replace?: true
}

/** `godwit store backup DIR TARGET`: copies a store, whether or not a broker is running on it. */
export async function storeBackup(folder: string, target: string, { verify }: StoreBackupFlags): Promise<ExitCode> {
  try {
    const { bytes, summary } = await backupStore(folder, target, { verify, report: tell })
    console.log(`${target}: a backup of ${folder}, ${bytesText(bytes)}, ${heldText(summary)}`)
    return ExitCode.Done
  } catch (error) {
    return complainOfStore(error)
  }
}

/** `godwit store restore BACKUP DIR`: puts a copy of a backup where a broker can start on it. */
export async function storeRestore(backup: string, folder: string, flags: StoreRestoreFlags): Promise<ExitCode> {
  const { verify, replace = false } = flags
  try {
    const { summary, replaced } = await restoreStore(backup, folder, { verify, replace, report: tell })
    console.log(`${folder}: restored from ${backup}, ${heldText(summary)}`)
    if (replaced !== undefined) console.log(`${replaced}: what was there before`)
    return ExitCode.Done
  } catch (error) {
    return complainOfStore(error)
  }
}

function heldText(summary: StoreSummary | undefined): string {
  if (summary === undefined) return 'not verified'
  const { sessions, messages, retainedMessages } = summary
  const held = [countText(sessions, 'session'), countText(messages, 'message'), countText(retainedMessages, 'retained message')]
  return `verified, with ${held.join(', ')}`
}
