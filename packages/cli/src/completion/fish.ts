import type { Offer } from './values.ts'
import type { FlagModel, VerbModel } from './verb-model.ts'

/** A completion script for fish. */
export function fishScript(models: readonly VerbModel[]): string {
  const described = new Map(models.map(({ path, description }) => [path, description]))
  const lines = models.flatMap(({ path, flags, verbs, arguments: args }) => {
    const below = path === '' ? '__fish_use_subcommand' : inVerb(path)
    return [
      ...verbs.map((verb) => {
        const verbPath = path === '' ? verb : `${path} ${verb}`
        const others = path === '' ? '' : `; and not __fish_seen_subcommand_from ${verbs.join(' ')}`
        return `complete -c godwit -n ${quoted(`${below}${others}`)} -a ${verb} -d ${quoted(described.get(verbPath) ?? '')}`
      }),
      ...flags.map((flag) => `complete -c godwit -n ${quoted(below)}${flagWords(flag)}`),
      ...args.flatMap(({ offer }) => (offer.length === 0 ? [] : [`complete -c godwit -n ${quoted(below)}${offerWords(offer)}`]))
    ]
  })
  return `# Completion of godwit for fish; made by: godwit completion fish
complete -c godwit -f
${lines.join('\n')}
`
}

function inVerb(path: string): string {
  return path
    .split(' ')
    .map((verb) => `__fish_seen_subcommand_from ${verb}`)
    .join('; and ')
}

function flagWords({ short, long, description, values: [value] }: FlagModel): string {
  return [
    short === undefined ? '' : ` -s ${short.slice(1)}`,
    long === undefined ? '' : ` -l ${long.slice(2)}`,
    value === undefined ? '' : ` -r${offerWords(value.offer)}`,
    ` -d ${quoted(description)}`
  ].join('')
}

function offerWords(offer: Offer): string {
  if (offer === 'files') return ' -F'
  if (offer === 'folders') return ' -a "(__fish_complete_directories)"'
  if (offer === 'profiles') return ' -a "(godwit profile list --names 2>/dev/null)"'
  return offer.length === 0 ? '' : ` -a ${quoted(offer.join(' '))}`
}

/** Within '' fish knows \\ and \\' alone. */
function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`
}
