import type { Command } from 'commander'
import { bashScript } from './bash.ts'
import type { Shell } from './completion-verb.ts'
import { fishScript } from './fish.ts'
import { verbModels } from './verb-model.ts'
import { zshScript } from './zsh.ts'

/** What a shell needs to complete the verbs, flags and values of a command. */
export function completionScript(shell: Shell, godwit: Command): string {
  const models = verbModels(godwit)
  switch (shell) {
    case 'bash':
      return bashScript(models)
    case 'zsh':
      return zshScript(models)
    case 'fish':
      return fishScript(models)
  }
}
