import { readFileSync } from 'node:fs'

/** Linux counts the CPU time of processes in hundredths of a second, on all machines. */
const TICKS_PER_SECOND = 100

/** What a process has taken, and takes. */
export interface ProcessUsage {
  /** CPU time of all of its threads, and of children that have ended. */
  readonly cpuSeconds: number
  readonly residentBytes: number
}

/** Undefined: there is no such process any more. */
export function processUsage(pid: number): ProcessUsage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    // The name of the program, in brackets, may hold anything; utime, stime, cutime and cstime are fields 14 to 17.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    const residentKiB = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0)
    return { cpuSeconds: ticks / TICKS_PER_SECOND, residentBytes: residentKiB * 1024 }
  } catch {
    return undefined
  }
}
