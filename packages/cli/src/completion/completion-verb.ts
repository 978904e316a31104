import { Argument, type Command } from 'commander'

const EXAMPLES = `
Where each shell looks for it:
  bash:
    godwit completion bash > ~/.local/share/bash-completion/completions/godwit
  zsh, with a folder of your fpath:
    godwit completion zsh > ~/.zfunc/_godwit
  fish:
    godwit completion fish > ~/.config/fish/completions/godwit.fish`

const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/**
 * Adds the verb that prints what a shell needs to complete all the others.
 *
 * @param common gives a verb what all have
 */
export function addCompletionVerb(godwit: Command, common: (command: Command) => Command): void {
  common(godwit.command('completion'))
    .summary('Print what a shell needs to complete verbs, flags and values')
    .description('Print a script that has a shell complete verbs, flags, values and the names of profiles')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(SHELLS))
    .addHelpText('after', EXAMPLES)
    .action(async (shell: Shell) => {
      const { completionScript } = await import('./completion.ts')
      process.stdout.write(completionScript(shell, godwit))
    })
}
