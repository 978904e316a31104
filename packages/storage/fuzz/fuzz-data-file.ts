// node --conditions=godwit-source packages/storage/fuzz/fuzz-data-file.ts [--cases N] [--seed N] [--case N]
// Damages a store's file at random, and opens, reads and changes it; with --case, that one case of the seed again.
import { parseArgs } from 'node:util'
import { fuzzDataFile } from '../src/lmdb/testing/fuzz-data-file.ts'

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '500' },
    seed: { type: 'string', default: String(Date.now() % 0x7fff_ffff) },
    case: { type: 'string' }
  }
})

const seed = Number(values.seed)
const [first, last] = values.case === undefined ? [0, Number(values.cases) - 1] : [Number(values.case), Number(values.case)]
console.log(`Damaging a store: seed ${seed}, cases ${first} to ${last}`)
const counts = new Map<string, number>()
for await (const { number, kind, outcome, end } of fuzzDataFile(seed, first, last)) {
  const [result = ''] = outcome?.split(':') ?? ['the process did not survive']
  counts.set(`${kind}: ${result}`, (counts.get(`${kind}: ${result}`) ?? 0) + 1)
  if (outcome === undefined) {
    console.log(`case ${number}, ${kind}: ended by ${end}`)
    process.exitCode = 1
  } else if (values.case !== undefined || outcome.startsWith('REFUSED')) console.log(`case ${number}, ${kind}: ${outcome}`)
}
const table = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))
for (const [what, count] of table) console.log(`${String(count).padStart(6)} ${what}`)
