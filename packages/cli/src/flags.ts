import { type Command, Option } from 'commander'

/** A flag of a verb. */
export interface VerbFlag {
  /** As commander reads it: `-q, --qos <qos>`. What the value is called also tells shell completion what to offer: `completion/values.ts`. */
  readonly flag: string
  readonly description: string
  /** It may be given several times. */
  readonly repeats?: true
}

/** Flags that belong together in the help. */
export interface FlagGroup {
  readonly title: string
  readonly flags: readonly VerbFlag[]
}

/** A command that works as it stands, and what it does. */
export interface Example {
  readonly what: string
  readonly command: string
}

export function addFlags(command: Command, groups: readonly FlagGroup[]): void {
  for (const { title, flags } of groups) {
    for (const { flag, description, repeats = false } of flags) {
      const option = new Option(flag, description).helpGroup(`${title}:`)
      if (repeats) option.argParser(collected)
      command.addOption(option)
    }
  }
}

export function addExamples(command: Command, examples: readonly Example[]): void {
  const lines = examples.flatMap(({ what, command: line }) => [`  ${what}:`, `    ${line}`])
  command.addHelpText('after', ['', 'Examples:', ...lines].join('\n'))
}

function collected(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value]
}
