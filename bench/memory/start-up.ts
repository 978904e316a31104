import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { root } from '../../checks/workspace.ts'
import type { NumbersTable } from '../numbers-file.ts'
import { median } from '../statistics.ts'

const ROUNDS = 9
/** From then on it is idle: what there was to compile and to collect is over. */
const IDLE_AFTER_MS = 3_000

const PROGRAMS = {
  'as published, built': [join(root, 'packages/cli/bin/godwit.js')],
  'from its sources': ['--conditions=godwit-source', join(root, 'packages/cli/src/main.ts')]
}

/** From the start of the process until it says that it listens, with an empty store; and what it takes when nobody comes. */
export async function measureStartUp(folder: string, report: (title: string) => void): Promise<NumbersTable> {
  const rows: Record<string, Record<string, number>> = {}
  for (const [title, program] of Object.entries(PROGRAMS)) {
    if (!existsSync(join(root, 'packages/cli/dist/main.js')) && title.includes('built')) continue
    const starts: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      starts.push((await startOnce(program, join(folder, `start-${title}-${round}`), 0)).startMs)
    }
    const idle = await startOnce(program, join(folder, `start-${title}`), IDLE_AFTER_MS)
    rows[title] = {
      startMs: median(starts),
      leastMs: Math.min(...starts),
      residentMegabytes: idle.resident / 1e6,
      ownMegabytes: idle.anonymous / 1e6
    }
    report(title)
  }
  return rows
}

interface Start {
  readonly startMs: number
  /** Bytes. */
  readonly resident: number
  /** Bytes that are not pages of files. */
  readonly anonymous: number
}

async function startOnce(program: readonly string[], data: string, idleMs: number): Promise<Start> {
  const startedAt = performance.now()
  const flags = ['serve', '--port', '0', '--http-port', '0', '--data', data]
  const child = spawn(process.execPath, [...program, ...flags], { stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    for await (const line of createInterface(child.stdout)) if (line.includes('mqtt://')) break
    const startMs = performance.now() - startedAt
    await delay(idleMs)
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    const bytesOf = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024
    return { startMs, resident: bytesOf('VmRSS'), anonymous: bytesOf('RssAnon') }
  } finally {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  }
}
