// Godwit beside Mosquitto and Aedes: npm run bench:compare -- [options]
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../checks/workspace.ts'
import { brokersNamed } from './compare/brokers.ts'
import { measure } from './compare/measure.ts'
import { Mqload } from './compare/mqload.ts'
import { writeReport } from './compare/report.ts'
import { merge, readResults, writeResults } from './compare/results.ts'
import { scenariosNamed } from './compare/scenarios.ts'
import { describeSeries } from './compare/series.ts'
import { writeMemoryReport } from './memory/report.ts'

const USAGE = `Measures brokers in alternation, and writes the tables and plots of bench/README.md.

  --scenarios NAMES   usual (default), full, or names separated by commas (p2p* for all that begin so)
  --brokers NAMES     godwit, mosquitto, aedes, mosquitto-safe; default: those that belong to the scenario
  --rounds N          runs of each broker (default: 3)
  --seconds S         of a measurement, for scenarios that run for a time (default: 5)
  --quiet PERCENT     repeat a run, twice at most, in which others used more of a processor (default: 30)
  --cpus B,G          processors of the broker and of the generator (default: 0,1)
  --mqload FOLDER     the load generator (default: MQLOAD in the environment, else ../shared/tools/mqload)
  --results FILE      results to add to, in the place of earlier ones (default: bench/results/compare.json)
  --from              measure nothing; write tables and plots from the results
  --no-report         measure, but leave tables and plots as they are
`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    scenarios: { type: 'string', default: 'usual' },
    brokers: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    quiet: { type: 'string', default: '30' },
    cpus: { type: 'string', default: '0,1' },
    mqload: { type: 'string', default: process.env['MQLOAD'] ?? join(root, '../shared/tools/mqload') },
    results: { type: 'string', default: join(root, 'bench/results/compare.json') },
    from: { type: 'boolean', default: false },
    'no-report': { type: 'boolean', default: false }
  }
})

// The broker that is being measured must not outlive us.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

if (values.help) {
  process.stdout.write(USAGE)
} else {
  if (!values.from) await measureAll()
  if (!values['no-report']) {
    writeReport(readResults(values.results))
    writeMemoryReport()
  }
}

async function measureAll(): Promise<void> {
  const [brokerCpu = '0', generatorCpu = '1'] = values.cpus.split(',')
  const rounds = number('rounds', values.rounds)
  const seconds = number('seconds', values.seconds)
  const quietPercent = number('quiet', values.quiet)
  const brokers = values.brokers === undefined ? undefined : brokersNamed(values.brokers)
  const mqload = Mqload.find(values.mqload, generatorCpu)
  const series = describeSeries({ rounds, seconds, quietPercent, brokerCpu, generatorCpu })
  const onRun = (line: string): void => console.log(line)
  for (const scenario of scenariosNamed(values.scenarios)) {
    const runs = await measure(scenario, { mqload, rounds, seconds, quietPercent, brokers, brokerCpu, onRun })
    // After each scenario: what was measured stays, whatever comes.
    writeResults(values.results, merge(readResults(values.results), series, runs))
  }
  console.log(`results in ${relative(process.cwd(), values.results)}`)
}

function number(name: string, text: string): number {
  const value = Number(text)
  if (value > 0) return value
  throw new RangeError(`--${name} takes a number above 0, not ${text}`)
}
