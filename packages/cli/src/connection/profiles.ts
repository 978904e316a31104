import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { addFlags, type VerbFlag } from '../flags.ts'
import { Misuse } from '../misuse.ts'
import { type ConnectionFlags, PROFILE_GROUPS, type ProfileFlags } from './connection-flags.ts'
import { holdsPassword } from './password.ts'
import { whyNot } from './read-file.ts'

/** As the file keeps it: the long names of flags, without dashes, and their values. */
export type Profile = Readonly<Record<string, string | true | readonly string[]>>

const NAME = /^[A-Za-z0-9][\w.@-]{0,63}$/
const OTHERS = 0o077

/** What a profile may hold, by the name it has there. */
const KEPT: ReadonlyMap<string, { readonly flag: VerbFlag; readonly option: Option }> = new Map(
  PROFILE_GROUPS.flatMap(({ flags }) => flags).map((flag) => {
    const option = new Option(flag.flag)
    return [option.name(), { flag, option }]
  })
)

/** The file of all profiles, in the user's own folder for configuration. */
export function profilesFile(environment: NodeJS.ProcessEnv): string {
  const { XDG_CONFIG_HOME: configuration = '' } = environment
  return join(isAbsolute(configuration) ? configuration : join(homedir(), '.config'), 'godwit', 'profiles.json')
}

/**
 * All profiles, by name; none if there is no file.
 *
 * @throws {Misuse} if the file holds something else
 */
export function readProfiles(file: string): Map<string, Profile> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map()
    throw new Misuse(`${file} cannot be read: ${whyNot(error)}`)
  }
  const profiles = objectOf(file, parsed(file, text))
  return new Map(Object.entries(profiles).map(([name, profile]) => [name, checkedProfile(`${file}: ${name}`, profile)]))
}

/** Keeps them, for their owner alone. */
export function writeProfiles(file: string, profiles: ReadonlyMap<string, Profile>): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${process.pid}`
  writeFileSync(temporary, `${JSON.stringify(Object.fromEntries(profiles), undefined, 2)}\n`, { mode: 0o600 })
  chmodSync(temporary, 0o600)
  renameSync(temporary, file)
}

/** Why others on this machine may read a password in the file; undefined if they may not. */
export function exposureOf(file: string, profiles: ReadonlyMap<string, Profile>): string | undefined {
  const names = [...profiles].filter(([, profile]) => passwordsIn(profile)).map(([name]) => name)
  if (names.length === 0 || process.platform === 'win32' || (statSync(file).mode & OTHERS) === 0) return undefined
  return `${file} holds the password of ${names.join(', ')}, and others may read it: chmod 600 ${file}`
}

/**
 * What flags say, and what the profile that they name says beside.
 *
 * @param warn told when others may read its passwords
 * @throws {Misuse} if there is no such profile
 */
export function withProfile<Flags extends ConnectionFlags>(
  flags: Flags,
  environment: NodeJS.ProcessEnv,
  warn: (warning: string) => void
): Flags {
  const name = flags.profile ?? environment['GODWIT_PROFILE'] ?? ''
  if (name === '') return flags
  const file = profilesFile(environment)
  const profiles = readProfiles(file)
  const profile = profiles.get(name)
  if (profile === undefined) throw noSuchProfile(name, file, profiles)
  const exposure = exposureOf(file, profiles)
  if (exposure !== undefined) warn(exposure)
  return { ...flagsOf(profile, flags), ...flags }
}

/** A profile of what flags say. Files are kept with their whole path. */
export function profileOf(flags: ProfileFlags): Profile {
  const given = new Map<string, unknown>(Object.entries(flags))
  const entries: [string, string | true | readonly string[]][] = []
  for (const [name, { flag, option }] of KEPT) {
    const value = given.get(option.attributeName())
    if (typeof value === 'string') entries.push([name, /<(file|dir|path)>/.test(flag.flag) ? resolve(value) : value])
    else if (Array.isArray(value)) entries.push([name, value.map(String)])
    else if (value === true) entries.push([name, true])
  }
  return Object.fromEntries(entries)
}

export function noSuchProfile(name: string, file: string, profiles: ReadonlyMap<string, Profile>): Misuse {
  const known = profiles.size === 0 ? 'there are none' : `there is ${[...profiles.keys()].join(', ')}`
  return new Misuse(`there is no profile ${JSON.stringify(name)} in ${file}; ${known}`)
}

/** @throws {Misuse} for what cannot be the name of a profile */
export function checkName(name: string): void {
  if (NAME.test(name)) return
  throw new Misuse(`the name of a profile is ${JSON.stringify(name)}; accepted are up to 64 letters, digits and . _ @ -`)
}

/** A profile as it may be shown, with no password in it. */
export function withoutPasswords(profile: Profile): Profile {
  const hide = (url: string): string => url.replace(/^([a-z]+:\/\/[^/:@]*:)[^/]*@/i, '$1***@')
  const entries = Object.entries(profile).map(([name, value]): [string, string | true | readonly string[]] => {
    if (name === 'pw') return [name, '***']
    return [name, name === 'url' ? [value].flat().map(String).map(hide) : value]
  })
  return Object.fromEntries(entries)
}

function passwordsIn({ pw, url = [] }: Profile): boolean {
  return pw !== undefined || [url].flat().some((each) => holdsPassword(String(each)))
}

/** What the command line says of the server, or of the password, replaces all that the profile says of it. */
function flagsOf(profile: Profile, { url, unix, host, port, pw, passwordFile, askPassword }: ConnectionFlags): ProfileFlags {
  const replaced = new Set<string>()
  if (url !== undefined || unix !== undefined) for (const name of ['url', 'unix', 'host', 'port']) replaced.add(name)
  if (host !== undefined || port !== undefined) for (const name of ['url', 'unix']) replaced.add(name)
  if ((pw ?? passwordFile ?? askPassword) !== undefined) for (const name of ['pw', 'password-file']) replaced.add(name)
  const args = Object.entries(profile)
    .filter(([name]) => !replaced.has(name))
    .flatMap(([name, value]) => (value === true ? [`--${name}`] : [value].flat().map((each) => `--${name}=${each}`)))
  const command = new Command().exitOverride()
  addFlags(command, PROFILE_GROUPS)
  return command.parse(args, { from: 'user' }).opts<ProfileFlags>()
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Misuse(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function objectOf(where: string, value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new Misuse(`${where} is not a JSON object`)
}

function checkedProfile(where: string, value: unknown): Profile {
  const entries = Object.entries(objectOf(where, value)).map(([name, each]: [string, unknown]) => {
    const kept = KEPT.get(name)
    if (kept === undefined) throw new Misuse(`${where}.${name} is not known; accepted is ${[...KEPT.keys()].join(', ')}`)
    return [name, checkedValue(`${where}.${name}`, each, kept.flag)] as const
  })
  return Object.fromEntries(entries)
}

function checkedValue(where: string, value: unknown, { flag, repeats }: VerbFlag): string | true | readonly string[] {
  if (!flag.includes('<')) {
    if (value === true) return value
    throw new Misuse(`${where} is ${JSON.stringify(value)}; accepted is true`)
  }
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  if (repeats === true && Array.isArray(value) && value.every((each) => typeof each === 'string')) return value
  throw new Misuse(`${where} is not what is accepted: text${repeats === true ? ', or a list of texts' : ''}`)
}
