import { readFileSync } from 'node:fs'
import { Misuse } from '../misuse.ts'

/**
 * A file that a flag names.
 *
 * @throws {Misuse} that names the flag and says why it cannot be read
 */
export function readNamedFile(flag: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new Misuse(`${flag} is ${JSON.stringify(path)}, which cannot be read: ${whyNot(error)}`)
  }
}

/** What the operating system said, for people. */
export function whyNot(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOENT':
      return 'there is no such file'
    case 'EACCES':
      return 'it may not be read by this user'
    case 'EISDIR':
      return 'it is a folder'
    default:
      return error instanceof Error ? error.message : String(error)
  }
}
