import { once } from 'node:events'
import { createReadStream, createWriteStream, existsSync, rmSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { exportStore, type FilledCounts, ImportMistake, importStore } from '@godwit/server/store-tools'
import { complainOfStore, tell } from './complain-of-store.ts'
import { ExitCode } from './exit-code.ts'
import { countText } from './quantities.ts'

/** The name for a standard stream. */
const STANDARD = '-'

export interface StoreExportFlags {
  readonly output?: string
  readonly salvage?: true
}

/** `godwit store export DIR`: what a store holds, as JSON Lines. */
export async function storeExport(folder: string, { output = STANDARD, salvage }: StoreExportFlags): Promise<ExitCode> {
  let lost = 0
  const report = (what: string): void => {
    lost++
    tell(`lost: ${what}`)
  }
  try {
    const chunks = Readable.from(exportStore(folder, { salvage: salvage === true ? report : undefined }))
    if (output === STANDARD) await pipeline(chunks, process.stdout, { end: false })
    else if (existsSync(output)) return misuse(`${output} exists; accepted is the path of a file that does not, or -`)
    else await writeFile(chunks, output)
  } catch (error) {
    return isSystemError(error) ? fail(`cannot write ${nameOf(output, 'output')}: ${error.message}`) : complainOfStore(error)
  }
  return lost === 0 ? ExitCode.Done : ExitCode.Failed
}

/** `godwit store import FILE DIR`: makes a store of an export. */
export async function storeImport(file: string, folder: string): Promise<ExitCode> {
  const input: Readable = file === STANDARD ? process.stdin : createReadStream(file)
  // Who interrupts an import finds nothing half done.
  const interrupt = (): void => void input.destroy(new Interruption())
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  // Told where it is read, which may begin later.
  input.on('error', () => undefined)
  try {
    if (file !== STANDARD) await once(input, 'open')
    const counts = await importStore(input, folder)
    console.log(`${folder}: imported from ${nameOf(file, 'input')}, ${countsText(counts)}`)
    return ExitCode.Done
  } catch (error) {
    if (error instanceof Interruption) return fail('interrupted: nothing was imported')
    if (error instanceof ImportMistake) return misuse(`${nameOf(file, 'input')}:${error.line}: ${error.reason}`)
    return isSystemError(error) ? misuse(`cannot read ${nameOf(file, 'input')}: ${error.message}`) : complainOfStore(error)
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}

class Interruption extends Error {}

/** On disk when it is done; nothing is left of it if it fails. */
async function writeFile(chunks: Readable, path: string): Promise<void> {
  const stream = createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true })
  await once(stream, 'open')
  try {
    await pipeline(chunks, stream)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  }
}

function countsText(counts: FilledCounts): string {
  const { sessions, messages, retainedMessages } = counts
  return [countText(sessions, 'session'), countText(messages, 'message'), countText(retainedMessages, 'retained message')].join(
    ', '
  )
}

function nameOf(path: string, stream: 'input' | 'output'): string {
  return path === STANDARD ? `standard ${stream}` : path
}

/** Of a stream, not of a store. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}

function misuse(message: string): ExitCode {
  tell(message)
  return ExitCode.Misused
}

function fail(message: string): ExitCode {
  tell(message)
  return ExitCode.Failed
}
