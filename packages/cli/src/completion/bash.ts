import type { Offer } from './values.ts'
import { spellings, type VerbModel } from './verb-model.ts'

/** A completion script for bash, 3.2 or later. */
export function bashScript(models: readonly VerbModel[]): string {
  const paths = models.filter(({ path }) => path !== '').map(({ path }) => quoted(path))
  return `# Completion of godwit for bash; made by: godwit completion bash

_godwit_words() {
  local IFS=$' \\t\\n'
  COMPREPLY=( $(compgen -W "$1" -- "$current") )
}

_godwit_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=( $(compgen "$1" -- "$current") )
}

_godwit_profiles() {
  _godwit_words "$("\${COMP_WORDS[0]}" profile list --names 2>/dev/null)"
}

_godwit() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} before='' verb='' at=1 position=0
  COMPREPLY=()
  (( COMP_CWORD > 1 )) && before=\${COMP_WORDS[COMP_CWORD-2]}
  # --flag=value comes as three words.
  if [[ $current == '=' ]]; then
    current=''
  elif [[ $previous == '=' ]]; then
    previous=$before
    before=''
  fi
  while (( at < COMP_CWORD )); do
    case "\${verb:+$verb }\${COMP_WORDS[at]}" in
      ${paths.join(' | ')}) verb="\${verb:+$verb }\${COMP_WORDS[at]}" ;;
      *) break ;;
    esac
    (( at++ ))
  done
  case "$verb:$previous" in
${valueCases(models, 0)}
  esac
  case "$verb:$before" in
${valueCases(models, 1)}
  esac
  if [[ $current == -* ]]; then
    case "$verb" in
${models.map((model) => `      ${quoted(model.path)}) _godwit_words ${quoted(model.flags.flatMap(spellings).join(' '))} ;;`).join('\n')}
    esac
    return
  fi
  (( position = COMP_CWORD - at ))
  case "$verb:$position" in
${models.flatMap(argumentCases).join('\n')}
  esac
}

complete -F _godwit godwit
`
}

/** What a flag's value may be, where it stands `at` words behind the flag. */
function valueCases(models: readonly VerbModel[], at: number): string {
  const cases = models.flatMap(({ path, flags }) =>
    flags.flatMap((flag) => {
      const value = flag.values[at]
      if (value === undefined) return []
      const patterns = spellings(flag).map((spelling) => quoted(`${path}:${spelling}`))
      return [`    ${patterns.join(' | ')}) ${[...offered(value.offer), 'return'].join('; ')} ;;`]
    })
  )
  return cases.join('\n')
}

function argumentCases({ path, verbs, arguments: args, isVariadic }: VerbModel): string[] {
  if (verbs.length > 0) return [`    ${quoted(`${path}:0`)}) _godwit_words ${quoted(verbs.join(' '))} ;;`]
  return args.flatMap(({ offer }, index) => {
    if (offer.length === 0) return []
    const position = isVariadic && index === args.length - 1 ? `${quoted(`${path}:`)}*` : quoted(`${path}:${index}`)
    return [`    ${position}) ${offered(offer).join('; ')} ;;`]
  })
}

function offered(offer: Offer): string[] {
  if (offer === 'files') return ['_godwit_files -f']
  if (offer === 'folders') return ['_godwit_files -d']
  if (offer === 'profiles') return ['_godwit_profiles']
  return offer.length === 0 ? [] : [`_godwit_words ${quoted(offer.join(' '))}`]
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
