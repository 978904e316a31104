import type { Command } from 'commander'
import type { ExitCode } from './exit-code.ts'
import type { StoreBackupFlags, StoreRestoreFlags } from './store-backup.ts'
import type { StoreCheckFlags } from './store-check.ts'
import type { StoreExportFlags } from './store-export.ts'

const FOLDER = 'the folder of a store: where a broker keeps its data, or a backup'

/**
 * Adds the verbs of `godwit store`.
 *
 * @param common gives a verb what all have
 */
export function addStoreVerbs(
  store: Command,
  common: (command: Command) => Command,
  finish: (verb: Promise<ExitCode>) => Promise<void>
): void {
  common(store.command('check'))
    .description('Verify a store, also while a broker runs on it, and say what it holds. Status 1: something does not hold')
    .argument('<dir>', FOLDER)
    .option('--json', 'Print one JSON object')
    .action((folder: string, flags: StoreCheckFlags) =>
      finish(import('./store-check.ts').then(({ storeCheck }) => storeCheck(folder, flags)))
    )

  common(store.command('backup'))
    .description('Copy a store as it is at one moment, also while a broker runs on it, and verify the copy')
    .argument('<dir>', FOLDER)
    .argument('<target>', 'a folder to be made: there must be nothing yet')
    .option('--no-verify', 'Do not read the copy to verify it')
    .action((folder: string, target: string, flags: StoreBackupFlags) =>
      finish(import('./store-backup.ts').then(({ storeBackup }) => storeBackup(folder, target, flags)))
    )

  common(store.command('restore'))
    .description('Put a copy of a backup, verified, where a broker can start on it')
    .argument('<backup>', 'a folder that `godwit store backup` made')
    .argument('<dir>', 'the folder for the data; no broker may be running on it')
    .option('--replace', 'Set aside, in that folder, the store that it holds')
    .option('--no-verify', 'Do not read the copy to verify it')
    .action((backup: string, folder: string, flags: StoreRestoreFlags) =>
      finish(import('./store-backup.ts').then(({ storeRestore }) => storeRestore(backup, folder, flags)))
    )

  common(store.command('export'))
    .description('Write what a store holds as JSON Lines, also while a broker runs on it')
    .argument('<dir>', FOLDER)
    .option('--output <file>', 'A file to be made (default: -, standard output)')
    .option('--salvage', 'Of a damaged store, export what can be read, and say what cannot. Status 1: something could not')
    .action((folder: string, flags: StoreExportFlags) =>
      finish(import('./store-export.ts').then(({ storeExport }) => storeExport(folder, flags)))
    )

  common(store.command('import'))
    .description('Make a store of what `godwit store export` wrote')
    .argument('<file>', 'JSON Lines; -: standard input')
    .argument('<dir>', 'the folder for the data; it must hold no store')
    .action((file: string, folder: string) =>
      finish(import('./store-export.ts').then(({ storeImport }) => storeImport(file, folder)))
    )
}
