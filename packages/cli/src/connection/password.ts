import { Misuse } from '../misuse.ts'
import type { ConnectionFlags } from './connection-flags.ts'
import { readNamedFile } from './read-file.ts'

/**
 * The password that flags, or else GODWIT_PASSWORD, give; undefined: none beside one that a URL may hold.
 *
 * @throws {Misuse}
 */
export async function passwordOf(
  flags: ConnectionFlags,
  environment: NodeJS.ProcessEnv
): Promise<string | Uint8Array | undefined> {
  const { pw, passwordFile, askPassword, url: urls = [] } = flags
  const given = [pw, passwordFile, askPassword].filter((source) => source !== undefined)
  if (given.length > 1) throw new Misuse('only one of --pw, --password-file and --ask-password can be the password')
  if (pw !== undefined) return pw
  if (passwordFile !== undefined) return firstLine(readNamedFile('--password-file', passwordFile))
  if (askPassword === true) {
    if (!process.stdin.isTTY) throw new Misuse('--ask-password needs a terminal as standard input; --password-file does not')
    const { askForPassword } = await import('../ask-password.ts')
    const asked = await askForPassword()
    if (asked.length === 0) throw new Misuse('no password was given')
    return asked
  }
  return urls.some(holdsPassword) ? undefined : environment['GODWIT_PASSWORD']
}

/** Whether a URL has a password in it. */
export function holdsPassword(url: string): boolean {
  return /^[a-z]+:\/\/[^/]*:[^/]*@/i.test(url)
}

function firstLine(text: Buffer): Buffer {
  const end = text.indexOf(0x0a)
  const line = end === -1 ? text : text.subarray(0, end)
  return line.at(-1) === 0x0d ? line.subarray(0, -1) : line
}
