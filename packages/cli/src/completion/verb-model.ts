import type { Command, Option } from 'commander'
import { type Offer, offerOf } from './values.ts'

/** What can be completed after a verb. */
export interface VerbModel {
  /** `pub`, `store check`; empty: after the command itself. */
  readonly path: string
  readonly description: string
  readonly flags: readonly FlagModel[]
  /** By position; the last one again if `isVariadic`. */
  readonly arguments: readonly { readonly name: string; readonly offer: Offer }[]
  readonly isVariadic: boolean
  /** The names of the verbs below. */
  readonly verbs: readonly string[]
}

export interface FlagModel {
  readonly short: string | undefined
  readonly long: string | undefined
  readonly description: string
  /** One for each value that the flag takes. */
  readonly values: readonly { readonly name: string; readonly offer: Offer }[]
  readonly repeats: boolean
}

/** A command's verbs, its own first and those below it after. */
export function verbModels(command: Command, path = ''): VerbModel[] {
  const { options, registeredArguments, commands } = command
  const help: FlagModel = { short: undefined, long: '--help', description: 'Show what is accepted', values: [], repeats: false }
  const below = commands.flatMap((each) => verbModels(each, `${path} ${each.name()}`.trim()))
  const model: VerbModel = {
    path,
    description: command.summary() || command.description(),
    flags: [...options.filter(({ hidden }) => !hidden).map(flagModel), help],
    arguments: registeredArguments.map((argument) => ({ name: argument.name(), offer: offerOf(argument.name()) })),
    isVariadic: registeredArguments.some(({ variadic }) => variadic),
    verbs: commands.map((each) => each.name())
  }
  return [model, ...below]
}

/** Every way in which a flag can be written. */
export function spellings({ short, long }: FlagModel): string[] {
  return [short, long].filter((spelling) => spelling !== undefined)
}

function flagModel({ flags, short, long, description, parseArg }: Option): FlagModel {
  const names = [...flags.matchAll(/<([^>]+)>/g)].map(([, name = '']) => name)
  // `<name>` has a meaning of its own after `<packet>` alone: elsewhere it is a user's.
  const values = names.map((name, index) => ({ name, offer: name === 'name' && index === 0 ? [] : offerOf(name) }))
  return { short, long, description: firstClause(description), values, repeats: parseArg !== undefined }
}

/** A line of a menu has little room. */
function firstClause(description: string): string {
  return description.split(/[;:(]/, 1)[0]?.trim() ?? ''
}
