import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

/** Asks for a password on the terminal that standard input is; does not show what is typed. Empty: none was given, or Ctrl-C. */
export async function askForPassword(): Promise<Buffer> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  // Only now does the terminal show nothing any more.
  process.stderr.write('Password: ')
  const line = await new Promise<string>((resolve) => terminal.once('line', resolve).once('close', () => resolve('')))
  terminal.close()
  process.stderr.write('\n')
  return Buffer.from(line)
}
