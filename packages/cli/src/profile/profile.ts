import type { ConnectionFlags } from '../connection/connection-flags.ts'
import { passwordOf } from '../connection/password.ts'
import {
  checkName,
  exposureOf,
  noSuchProfile,
  type Profile,
  profileOf,
  profilesFile,
  readProfiles,
  withoutPasswords,
  writeProfiles
} from '../connection/profiles.ts'
import { serversOf } from '../connection/server-urls.ts'
import { ExitCode } from '../exit-code.ts'
import { Misuse } from '../misuse.ts'

export interface ProfileListFlags {
  readonly names?: true
}

/** As `ConnectionFlags`, without a profile to start from. */
export type ProfileSaveFlags = Omit<ConnectionFlags, 'profile'>

/** `godwit profile list`. */
export async function listProfiles({ names }: ProfileListFlags): Promise<ExitCode> {
  return doing((profiles) => {
    const width = Math.max(...[...profiles.keys()].map((name) => name.length))
    for (const [name, profile] of profiles) console.log(names === true ? name : `${name.padEnd(width)}  ${placeOf(profile)}`)
  })
}

/** `godwit profile show`. */
export async function showProfile(name: string): Promise<ExitCode> {
  return doing((profiles, file) => {
    const profile = profiles.get(name)
    if (profile === undefined) throw noSuchProfile(name, file, profiles)
    console.log(JSON.stringify(withoutPasswords(profile), undefined, 2))
  })
}

/** `godwit profile save`. */
export async function saveProfile(name: string, { askPassword, ...flags }: ProfileSaveFlags): Promise<ExitCode> {
  return doing(async (profiles, file) => {
    checkName(name)
    // What the flags say must make sense by themselves.
    serversOf(flags)
    const asked = askPassword === true ? await passwordOf({ ...flags, askPassword }, {}) : undefined
    const profile = profileOf(asked === undefined ? flags : { ...flags, pw: Buffer.from(asked).toString() })
    const isNew = !profiles.has(name)
    writeProfiles(file, profiles.set(name, profile))
    console.log(`${file}: ${isNew ? 'saved' : 'replaced'} ${name}`)
  })
}

/** `godwit profile remove`. */
export async function removeProfile(name: string): Promise<ExitCode> {
  return doing((profiles, file) => {
    if (!profiles.delete(name)) throw noSuchProfile(name, file, profiles)
    writeProfiles(file, profiles)
    console.log(`${file}: removed ${name}`)
  })
}

async function doing(act: (profiles: Map<string, Profile>, file: string) => void | Promise<void>): Promise<ExitCode> {
  try {
    const file = profilesFile(process.env)
    const profiles = readProfiles(file)
    await act(profiles, file)
    const exposure = exposureOf(file, profiles)
    if (exposure !== undefined) console.error(`godwit: ${exposure}`)
    return ExitCode.Done
  } catch (error) {
    if (!(error instanceof Misuse)) throw error
    console.error(`godwit: ${error.message}`)
    return ExitCode.Misused
  }
}

/** Where a profile connects to, in a few words. */
function placeOf(profile: Profile): string {
  const { url, unix, host, port } = withoutPasswords(profile)
  if (url !== undefined) return [url].flat().join(' ')
  if (unix !== undefined) return `unix:${String(unix)}`
  return `${String(host ?? 'localhost')}${port === undefined ? '' : `:${String(port)}`}`
}
