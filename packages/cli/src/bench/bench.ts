import { availableParallelism, cpus, totalmem } from 'node:os'
import { complainOfClient, teller } from '../complain-of-client.ts'
import { ExitCode } from '../exit-code.ts'
import { stopSignal } from '../signals.ts'
import { version } from '../version.ts'
import type { BenchFlags } from './bench-flags.ts'
import { type BenchPlan, benchPlanOf } from './bench-plan.ts'
import { compare, differencesOf } from './comparison.ts'
import { htmlReport } from './html-report.ts'
import { labelOf } from './load.ts'
import { LoadRun } from './load-run.ts'
import { ProgressLine } from './progress.ts'
import type { Machine, Report, RunResult } from './results.ts'
import { readReport, type SavedReport, writeNamedFile } from './saved-report.ts'
import { summaryOf } from './summary.ts'
import { violationsOf } from './verification.ts'

/** `godwit bench [scenario...]`: puts a load on a broker, or on two in turns, and says what they did with it. */
export async function bench(names: readonly string[], flags: BenchFlags): Promise<ExitCode> {
  const tell = teller(undefined)
  try {
    const plan = await benchPlanOf(names, flags, tell)
    const baseline = flags.baseline === undefined ? undefined : readReport('--baseline', flags.baseline)
    const startedAt = new Date().toISOString()
    const runs = await runAll(plan, flags.quiet !== true)
    const isCut = runs.length < plan.loads.length * plan.targets.length * plan.rounds
    if (isCut) tell('interrupted')
    const report = reportOf(plan, runs, startedAt, baseline)
    const json = `${JSON.stringify(report, undefined, 2)}\n`
    if (flags.save !== undefined) writeNamedFile('--save', flags.save, json)
    if (flags.html !== undefined) writeNamedFile('--html', flags.html, htmlReport(report))
    process.stdout.write(flags.json === true ? json : summaryOf(report))
    return isCut || runs.some(hasFailed) ? ExitCode.Failed : ExitCode.Done
  } catch (error) {
    return complainOfClient(error, tell)
  }
}

/** All rounds of all scenarios; those that were made when SIGINT or SIGTERM came. */
async function runAll({ loads, targets, rounds, threads }: BenchPlan, showsProgress: boolean): Promise<RunResult[]> {
  const stopping = new AbortController()
  void stopSignal().then(() => stopping.abort())
  const { stderr } = process
  const progress = new ProgressLine({
    isTerminal: stderr.isTTY,
    columns: stderr.columns,
    write: (text) => void (showsProgress && stderr.write(text))
  })
  const runs: RunResult[] = []
  try {
    for (const load of loads) {
      for (let round = 1; round <= rounds; round++) {
        // Whoever goes second finds another machine than whoever goes first: they take turns.
        for (const target of round % 2 === 1 ? targets : targets.toReversed()) {
          const request = { target, load, round, threads }
          runs.push(await LoadRun.run(request, progress.forRun(request, targets.length, rounds), stopping.signal))
        }
      }
    }
  } catch (error) {
    if (!stopping.signal.aborted) throw error
  } finally {
    progress.clear()
  }
  return runs
}

function reportOf(plan: BenchPlan, runs: readonly RunResult[], startedAt: string, baseline: SavedReport | undefined): Report {
  const of = (name: 'A' | 'B'): RunResult[] => runs.filter(({ broker }) => broker === name)
  const before = baseline?.runs.filter(({ broker }) => broker === 'A') ?? []
  const machine = machineOf()
  return {
    format: 'godwit-bench',
    formatVersion: 1,
    version: version(),
    startedAt,
    machine,
    brokers: plan.targets.map(({ name, url, pid }) => ({ name, url, pid: pid ?? null })),
    runs,
    comparisons: compare(of('A'), of('B'), 'rounds'),
    baseline: baseline === undefined ? null : { startedAt: baseline.startedAt, comparisons: compare(before, of('A'), 'apart') },
    warnings: [
      ...(baseline === undefined ? [] : [...machineDifferences(machine, baseline), ...differencesOf(of('A'), before)]),
      ...warningsOf(plan, runs)
    ]
  }
}

/** With the runs that they are about; of several rounds in which much the same happened, the first. */
function warningsOf({ targets, rounds }: BenchPlan, runs: readonly RunResult[]): string[] {
  const all = runs.flatMap((run) => {
    const where = [labelOf(run), ...(targets.length > 1 ? [run.broker] : [])].join(' ')
    return run.warnings.map((warning) => ({ where, round: run.round, warning }))
  })
  const alike = Map.groupBy(all, ({ where, warning }) => `${where} ${warning.replaceAll(/[\d,.]+/g, '')}`)
  return [...alike.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return []
    const { where, round, warning } = first
    const which = others.length === 0 ? `round ${round}` : `round ${round}, and much the same in ${others.length} more`
    return [`${where}${rounds > 1 ? ` (${which})` : ''}: ${warning}`]
  })
}

function machineDifferences({ processorModel, processors, node }: Machine, { machine }: SavedReport): string[] {
  const here = `${processors} × ${processorModel}, Node ${node}`
  const there = `${machine.processors} × ${machine.processorModel}, Node ${machine.node}`
  return here === there ? [] : [`the baseline comes from another machine: ${there}; this one has ${here}`]
}

function machineOf(): Machine {
  return {
    platform: `${process.platform} ${process.arch}`,
    processors: availableParallelism(),
    processorModel: cpus()[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    node: process.versions.node
  }
}

/** The broker lost what it may not lose, or not all messages were taken. */
function hasFailed({ verification, qos, errors }: RunResult): boolean {
  return errors.count > 0 || (verification !== null && violationsOf(verification, qos).length > 0)
}
