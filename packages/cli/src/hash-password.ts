import { buffer } from 'node:stream/consumers'
import { hashPassword as hash } from '@godwit/server/password-hash'
import { askForPassword } from './ask-password.ts'
import { ExitCode } from './exit-code.ts'

/** [5.0 3.1.3.6] a Password is Binary Data, which has two bytes for its length. */
const PASSWORD_BYTES_MAX = 65_535

/** `godwit hash-password`: a password from standard input, up to the line's end, as a line for a configuration file. */
export async function hashPassword(): Promise<ExitCode> {
  const password = process.stdin.isTTY ? await askForPassword() : withoutLineEnd(await buffer(process.stdin))
  if (password.length === 0 || password.length > PASSWORD_BYTES_MAX) {
    const found = password.length === 0 ? 'empty' : `${password.length} bytes`
    console.error(`godwit: the password on standard input is ${found}; accepted is 1 to ${PASSWORD_BYTES_MAX} bytes`)
    return ExitCode.Misused
  }
  console.log(await hash(password))
  return ExitCode.Done
}

function withoutLineEnd(bytes: Buffer): Buffer {
  const length = bytes.at(-1) === 0x0a ? bytes.length - (bytes.at(-2) === 0x0d ? 2 : 1) : bytes.length
  return bytes.subarray(0, length)
}
