// What small parts cost: npm run bench:micro -- [codec] [matching] [inflight] [log] [fates] [--json] [--store]
// Each cost beside its baseline, in operations of a calibration that runs in between, so that machines may differ; `--json`
// prints the costs instead, and `--store` puts them in the place of the baseline.
import { parseArgs } from 'node:util'
import { codecMeasurements } from './micro/codec.ts'
import { fatesMeasurements } from './micro/fates.ts'
import { inflightMeasurements } from './micro/inflight.ts'
import { logMeasurements } from './micro/log.ts'
import { matchingMeasurements } from './micro/matching.ts'
import { type Cost, measureCost } from './micro/measurement.ts'
import { type NumbersTable, readNumbers, writeNumbers } from './numbers-file.ts'
import { formatted } from './statistics.ts'

const PARTS = new Map([
  ['codec', codecMeasurements],
  ['matching', matchingMeasurements],
  ['inflight', inflightMeasurements],
  ['log', logMeasurements],
  ['fates', fatesMeasurements]
])
const BASELINE = new URL('micro/baseline.json', import.meta.url)

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, store: { type: 'boolean', default: false } }
})
const unknown = positionals.filter((part) => !PARTS.has(part))
if (unknown.length > 0) throw new RangeError(`${unknown.join(', ')}: no such part; there are ${[...PARTS.keys()].join(', ')}`)

const baseline = readNumbers(BASELINE)
const costs: Record<string, Cost> = {}
if (!values.json) console.log(line('', ['ns', 'noise', 'to the baseline', 'bytes', 'to the baseline']))
for (const [part, measurements] of PARTS) {
  if (positionals.length > 0 && !positionals.includes(part)) continue
  for (const measurement of measurements) {
    const cost = await measureCost(measurement)
    costs[measurement.title] = cost
    if (!values.json) console.log(line(measurement.title, cellsOf(cost, baseline[measurement.title])))
  }
}
if (values.json) console.log(JSON.stringify(costs, undefined, 2))
if (values.store) {
  const stored: NumbersTable = Object.fromEntries(
    Object.entries(costs).map(([title, { relative, bytes }]) => [title, { relative, bytes: Math.max(bytes, 0) }])
  )
  writeNumbers(BASELINE, { ...baseline, ...stored })
}

function cellsOf({ nanoseconds, noise, relative, bytes }: Cost, before: NumbersTable[string] | undefined): string[] {
  const { relative: relativeBefore = Number.NaN, bytes: bytesBefore = Number.NaN } = before ?? {}
  return [
    formatted(nanoseconds),
    `${formatted(noise * 100)} %`,
    formatted(relative / relativeBefore),
    formatted(bytes),
    // Where there are hardly any bytes, their ratio says nothing.
    bytesBefore < 1 ? formatted(bytesBefore) : formatted(bytes / bytesBefore)
  ]
}

function line(title: string, cells: readonly string[]): string {
  return title.padEnd(58) + cells.map((cell) => cell.padStart(17)).join('')
}
