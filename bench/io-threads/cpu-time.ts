import { readdirSync, readFileSync } from 'node:fs'

/** CPU time, user and system, in microseconds. */
export interface CpuTime {
  /** Of the thread that routes. */
  readonly engine: number
  /** Of the I/O threads together. */
  readonly io: number
  /** Of all threads, those of V8 that compile and collect garbage too. */
  readonly all: number
}

/** The kernel counts in hundredths of a second. */
const TICK_MICROSECONDS = 10_000

/** What a broker has used so far. */
export function cpuTimeOf(pid: number): CpuTime {
  let [engine, io, all] = [0, 0, 0]
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const used = (Number(fields[11]) + Number(fields[12])) * TICK_MICROSECONDS
    if (Number(thread) === pid) engine += used
    else if (name.startsWith('godwit-io')) io += used
    all += used
  }
  return { engine, io, all }
}
