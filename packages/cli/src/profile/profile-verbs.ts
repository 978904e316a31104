import type { Command } from 'commander'
import { PROFILE_GROUPS } from '../connection/connection-flags.ts'
import { addExamples, addFlags, type Example } from '../flags.ts'
import type { ExitCode } from '../exit-code.ts'
import type { ProfileListFlags, ProfileSaveFlags } from './profile.ts'

const SAVE_EXAMPLES: readonly Example[] = [
  {
    what: 'A broker in the cloud; the password is asked for, and kept',
    command: 'godwit profile save cloud -L mqtts://broker.example -u pump-7 --ask-password'
  },
  { what: 'Use it', command: 'godwit sub --profile cloud -v sensors/+' }
]

/**
 * Adds the verbs of `godwit profile`.
 *
 * @param common gives a verb what all have
 */
export function addProfileVerbs(
  profile: Command,
  common: (command: Command) => Command,
  finish: (verb: Promise<ExitCode>) => Promise<void>
): void {
  common(profile.command('list'))
    .description('List the profiles, and where each connects to')
    .option('--names', 'Only the names')
    .action((flags: ProfileListFlags) => finish(import('./profile.ts').then(({ listProfiles }) => listProfiles(flags))))

  common(profile.command('show'))
    .description('Show what a profile holds, without passwords, as JSON')
    .argument('<profile>', 'its name')
    .action((name: string) => finish(import('./profile.ts').then(({ showProfile }) => showProfile(name))))

  const save = common(profile.command('save'))
    .description('Keep the flags given as a profile, in place of one of that name')
    .argument('<name>', 'up to 64 letters, digits and . _ @ -')
    .option('--ask-password', 'Ask for the password on the terminal, without showing it, and keep it')
  addFlags(save, PROFILE_GROUPS)
  addExamples(save, SAVE_EXAMPLES)
  save.action((name: string, flags: ProfileSaveFlags) =>
    finish(import('./profile.ts').then(({ saveProfile }) => saveProfile(name, flags)))
  )

  common(profile.command('remove'))
    .description('Remove a profile')
    .argument('<profile>', 'its name')
    .action((name: string) => finish(import('./profile.ts').then(({ removeProfile }) => removeProfile(name))))
}
