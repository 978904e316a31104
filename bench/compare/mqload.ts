import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pinned } from './pinned.ts'

const TIME_LIMIT_MS = 240_000

/** What a measurement says: the numbers of mqload's line, or why there are none. */
export interface Outcome {
  readonly figures: Readonly<Record<string, number>>
  readonly error: string | undefined
}

/** The load generator, which is a program of its own. */
export class Mqload {
  readonly #program: string
  readonly #cpu: string

  private constructor(program: string, cpu: string) {
    this.#program = program
    this.#cpu = cpu
  }

  /**
   * @param folder where it is; built in a temporary folder if nobody has run `make` there
   * @throws Error if there is none
   */
  static find(folder: string, cpu: string): Mqload {
    const program = join(folder, 'mqload')
    if (existsSync(program)) return new Mqload(program, cpu)
    const source = `${program}.c`
    if (!existsSync(source)) {
      throw new Error(
        `${folder}: no mqload here. Name the folder of the load generator by --mqload or MQLOAD; without it, --from makes the ` +
          'tables from the stored results, and `npm run bench:figures`, `bench:micro` and `bench:memory` need no generator.'
      )
    }
    const temporary = mkdtempSync(join(tmpdir(), 'godwit-mqload-'))
    process.once('exit', () => rmSync(temporary, { recursive: true, force: true }))
    const built = join(temporary, 'mqload')
    execFileSync('cc', ['-O2', '-std=gnu11', '-o', built, source], { stdio: 'inherit' })
    return new Mqload(built, cpu)
  }

  async run(load: string, port: number, pid: number, seconds: number | undefined): Promise<Outcome> {
    const time = seconds === undefined || load.includes('--time') ? [] : ['--time', String(seconds)]
    const arguments_ = [...load.split(' '), '--port', String(port), '--pid', String(pid), ...time]
    const [command = '', ...parameters] = pinned(this.#cpu, [this.#program, ...arguments_])
    try {
      const { stdout } = await promisify(execFile)(command, parameters, { timeout: TIME_LIMIT_MS, killSignal: 'SIGKILL' })
      return outcomeOf(stdout)
    } catch (error) {
      return { figures: {}, error: whyFailed(error) }
    }
  }
}

function whyFailed(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (Reflect.get(error, 'killed') === true) return `mqload was not done after ${TIME_LIMIT_MS / 1000} s`
  const stderr: unknown = Reflect.get(error, 'stderr')
  return typeof stderr === 'string' && stderr !== '' ? (stderr.trim().split('\n').at(-1) ?? '') : error.message
}

/** Reads the last line that mqload printed. */
export function outcomeOf(output: string): Outcome {
  const line: unknown = JSON.parse(output.trim().split('\n').at(-1) ?? '')
  if (typeof line !== 'object' || line === null) throw new TypeError(`mqload printed ${output}`)
  const figures: Record<string, number> = {}
  let error: string | undefined
  for (const [name, value] of Object.entries(line)) {
    if (typeof value === 'number') figures[name] = value
    else if (name === 'error') error = String(value)
  }
  return { figures, error }
}
