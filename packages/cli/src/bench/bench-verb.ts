import type { Command } from 'commander'
import type { ExitCode } from '../exit-code.ts'
import { addExamples, addFlags } from '../flags.ts'
import { BENCH_EXAMPLES, BENCH_GROUPS, type BenchFlags } from './bench-flags.ts'
import { SCENARIOS } from './scenarios.ts'

const EXIT_CODES = `
Exit codes:
  0 done, 1 something was lost that may not be, 2 wrong flags, 4 no server, 128 to 162 what the
  server said; docs/bench.md tells more`

/**
 * Adds `godwit bench`.
 *
 * @param common gives a verb what all have
 */
export function addBenchVerb(
  godwit: Command,
  common: (command: Command) => Command,
  finish: (verb: Promise<ExitCode>) => Promise<void>
): void {
  const verb = common(godwit.command('bench'))
    .summary('Measure a broker, or compare two')
    .description('Put a load on a broker, verify every message, and say how many it takes and how long they are under way')
    .argument('[scenario...]', 'what to measure; none: a tour of most, in about ten seconds')
    .action((names: readonly string[], flags: BenchFlags) =>
      finish(import('./bench.ts').then(({ bench }) => bench(names, flags)))
    )
  addFlags(verb, BENCH_GROUPS)
  const width = Math.max(...Object.keys(SCENARIOS).map((name) => name.length))
  const scenarios = Object.entries(SCENARIOS).map(([name, { description }]) => `  ${name.padEnd(width)}  ${description}`)
  verb.addHelpText('after', ['', 'Scenarios:', ...scenarios].join('\n'))
  addExamples(verb, BENCH_EXAMPLES)
  verb.addHelpText('after', EXIT_CODES)
}
