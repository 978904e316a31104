import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { root } from './workspace.ts'

/** The Node of node_modules comes first, whatever the shell has. */
export const environment: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`
}

export interface GroupResult {
  /** The exit status; undefined if a signal ended it, or if it did not start. */
  readonly status: number | undefined
  /** Why it did not start, or was ended. */
  readonly problem: string | undefined
  /** Whether something of its group outlived it, and was ended. Not a failure: a worker may be on its way out. */
  readonly leftBehind: boolean
}

/**
 * Runs a program with our output as its own, and ends whatever it leaves behind: it gets a process group, so that a broker which a
 * failed test forgot neither keeps its port nor keeps us waiting. Ctrl-C, which reaches only our own group, is passed on.
 */
export async function runInGroup(
  [program = '', ...args]: readonly string[],
  cwd: string,
  timeoutMs: number
): Promise<GroupResult> {
  const child = spawn(program, args, { cwd, env: environment, stdio: ['ignore', 'inherit', 'inherit'], detached: true })
  const { pid } = child
  if (pid === undefined) {
    return new Promise((resolve) => {
      child.once('error', ({ message }) => resolve({ status: undefined, problem: message, leftBehind: false }))
    })
  }
  const signalGroup = (signal: NodeJS.Signals): boolean => {
    try {
      return process.kill(-pid, signal)
    } catch {
      return false // Nobody is left in the group.
    }
  }
  let problem: string | undefined
  const timer = setTimeout(() => {
    problem = `was not done after ${timeoutMs / 1000} seconds`
    signalGroup('SIGKILL')
  }, timeoutMs)
  const interrupt = (signal: NodeJS.Signals): void => {
    signalGroup(signal)
    process.exit(1)
  }
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  const status = await new Promise<number | undefined>((resolve) => {
    child.once('exit', (code) => resolve(code ?? undefined))
  })
  clearTimeout(timer)
  process.removeListener('SIGINT', interrupt)
  process.removeListener('SIGTERM', interrupt)
  return { status, problem, leftBehind: signalGroup('SIGKILL') }
}
