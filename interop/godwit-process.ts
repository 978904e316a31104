import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { withinLimit } from './mailbox.ts'

const root = join(import.meta.dirname, '..')
const program = join(root, 'packages/cli/src/main.ts')

/** The program itself, in a process of its own, with its data in a folder that goes with it, on free ports of loopback. */
export class GodwitProcess {
  readonly child: ChildProcess
  readonly port: number
  readonly webSocketPort: number

  private constructor(child: ChildProcess, port: number, webSocketPort: number) {
    this.child = child
    this.port = port
    this.webSocketPort = webSocketPort
  }

  /**
   * @param nodeFlags for the process, before the program
   * @param serveFlags more for the program
   */
  static async start(nodeFlags: readonly string[] = [], serveFlags: readonly string[] = []): Promise<GodwitProcess> {
    const data = mkdtempSync(join(tmpdir(), 'godwit-data-'))
    const flags = ['serve', '--port', '0', '--http-port', '0', '--data', data, '--log-level', 'warn']
    const child = fork(program, [...flags, ...serveFlags], {
      cwd: root,
      execArgv: ['--conditions=godwit-source', ...nodeFlags],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc']
    })
    child.once('exit', () => rmSync(data, { recursive: true, force: true }))
    const lines: string[] = []
    const listening = Promise.withResolvers<readonly [number, number]>()
    child.once('exit', (status) => listening.reject(new Error(`the program ended with ${status}: ${lines.join('\n')}`)))
    if (child.stdout === null) throw new Error('the program has no standard output')
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line)
      const port = portOf(lines, /mqtt:\/\/[^ ]*:(\d+)/)
      const webSocketPort = portOf(lines, /ws:\/\/[^ ]*:(\d+)\/mqtt/)
      if (port !== undefined && webSocketPort !== undefined) listening.resolve([port, webSocketPort])
    })
    try {
      return new GodwitProcess(child, ...(await withinLimit(listening.promise, 'the program to listen')))
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
  }

  /** Ends it as an operator would. Resolves with its exit status; null: it had to be killed. */
  async stop(): Promise<number | null> {
    const { child } = this
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
    if (child.exitCode !== null) return child.exitCode
    child.kill('SIGTERM')
    try {
      return await withinLimit(exited, 'the program to end')
    } finally {
      child.kill('SIGKILL')
    }
  }
}

/** The port in the first line that tells one. */
function portOf(lines: readonly string[], pattern: RegExp): number | undefined {
  const port = lines.map((line) => pattern.exec(line)?.[1]).find((match) => match !== undefined)
  return port === undefined ? undefined : Number(port)
}
