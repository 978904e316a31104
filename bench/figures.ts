// What the broker spends on a message that does not depend on the machine: bytes allocated, reads, writes.
//   npm run bench:figures [-- --store]
// Beside the baseline that the tests compare with; `--store` puts the figures in its place.
import { parseArgs } from 'node:util'
import { KINDS, readBaseline, regressions, storeBaseline } from './regression/baseline.ts'
import { measureFigures } from './regression/figures.ts'
import { PATTERNS } from './regression/patterns.ts'

const { values } = parseArgs({ options: { store: { type: 'boolean', default: false } } })

const baseline = readBaseline()
const figures = await measureFigures(PATTERNS)
console.log(`${''.padEnd(32)}${['heap, bytes', 'reads', 'writes'].map((kind) => kind.padStart(20)).join('')}`)
for (const { name, what } of PATTERNS) {
  const cells = KINDS.map((kind) => {
    const [now, before] = [figures[name]?.[kind], baseline[name]?.[kind]].map((value) => value?.toPrecision(3) ?? '-')
    return `${now} (${before})`.padStart(20)
  })
  console.log(what.padEnd(32) + cells.join(''))
}
console.log('In brackets: the baseline.')
if (values.store) storeBaseline(figures)
else for (const regression of regressions(figures, baseline)) console.log(`above the baseline: ${regression}`)
