import type { Offer } from './values.ts'
import { type FlagModel, spellings, type VerbModel } from './verb-model.ts'

/** A completion script for zsh, to be called `_godwit` in a folder of `fpath`. */
export function zshScript(models: readonly VerbModel[]): string {
  return `#compdef godwit
# Completion of godwit for zsh; made by: godwit completion zsh

_godwit_profiles() {
  local -a names
  names=(\${(f)"$(_call_program profiles godwit profile list --names 2>/dev/null)"})
  compadd -a names
}

${models.map((model) => verbFunction(model, models)).join('\n')}
if [[ $funcstack[1] == _godwit ]]; then
  _godwit "$@"
else
  compdef _godwit godwit
fi
`
}

function verbFunction(model: VerbModel, models: readonly VerbModel[]): string {
  const { path, flags, verbs } = model
  const specifications = [...flags.map(flagSpecification), ...argumentSpecifications(model)]
  const call = `_arguments -s -S \\\n${specifications.map((each) => `    ${each}`).join(' \\\n')}`
  if (verbs.length === 0) return `${nameOf(path)}() {\n  ${call}\n}\n`
  const described = verbs.map((verb) => {
    const description = models.find((each) => each.path === pathOf(path, verb))?.description ?? ''
    return `    ${quoted(`${verb}:${description}`)}`
  })
  return `${nameOf(path)}() {
  local state line
  local -a verbs
  verbs=(
${described.join('\n')}
  )
  _arguments -C \\
${[...flags.map(flagSpecification), "'1:verb:->verb'", "'*::argument:->arguments'"].map((each) => `    ${each}`).join(' \\\n')}
  case $state in
    verb) _describe verb verbs ;;
    arguments)
      case $line[1] in
${verbs.map((verb) => `        ${verb}) ${nameOf(pathOf(path, verb))} ;;`).join('\n')}
      esac
      ;;
  esac
}
`
}

function pathOf(path: string, verb: string): string {
  return path === '' ? verb : `${path} ${verb}`
}

function nameOf(path: string): string {
  return `_godwit${path === '' ? '' : `_${path.replaceAll(/[ -]/g, '_')}`}`
}

function flagSpecification(flag: FlagModel): string {
  const names = spellings(flag)
  const excluded = flag.repeats ? '*' : names.length > 1 ? `(${names.join(' ')})` : ''
  const spelled = names.length > 1 ? `{${names.join(',')}}` : (names[0] ?? '')
  const values = flag.values.map(({ name, offer }) => `:${name}:${offered(offer)}`).join('')
  return `${quoted(excluded)}${spelled}${quoted(`[${flag.description.replaceAll(/[[\]]/g, String.raw`\$&`)}]${values}`)}`
}

function argumentSpecifications({ arguments: args, isVariadic }: VerbModel): string[] {
  return args.map(({ name, offer }, index) => {
    const position = isVariadic && index === args.length - 1 ? '*' : `${index + 1}`
    return quoted(`${position}:${name}:${offered(offer)}`)
  })
}

function offered(offer: Offer): string {
  if (offer === 'files') return '_files'
  if (offer === 'folders') return '_files -/'
  if (offer === 'profiles') return '_godwit_profiles'
  return offer.length === 0 ? ' ' : `(${offer.join(' ')})`
}

function quoted(text: string): string {
  return text === '' ? '' : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
