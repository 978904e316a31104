// node --conditions=godwit-source packages/protocol/fuzz/fuzz-decoder.ts --seconds 60 [--seed N] [--case N]
// Fuzzes the decoder for a time; with --case, runs that one case of the seed again.
import { parseArgs } from 'node:util'
import { reasonCodeName } from '../src/index.ts'
import { fuzzDecoder } from '../src/testing/fuzz-decoder.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 0x7fff_ffff) },
    case: { type: 'string' }
  }
})

const seed = wholeNumber('seed', values.seed)
const seconds = wholeNumber('seconds', values.seconds)
const single = values.case === undefined ? undefined : wholeNumber('case', values.case)

console.log(`Fuzzing the decoder: seed ${seed}, ${single === undefined ? `${seconds} s` : `case ${single}`}`)
const endsAtMs = performance.now() + seconds * 1000
const { cases, packets, refusals } = fuzzDecoder({
  seed,
  firstCase: single ?? 0,
  goOn: (done) => (single === undefined ? performance.now() < endsAtMs : done === 0)
})
console.log(`${cases} cases, ${packets} packets`)
for (const [reasonCode, count] of refusals) console.log(`${count} ended in ${reasonCodeName(reasonCode)}`)

function wholeNumber(flag: string, value: string): number {
  const number = Number(value)
  if (Number.isSafeInteger(number) && number >= 0) return number
  console.error(`--${flag} must be a whole number, not ${value}`)
  process.exit(2)
}
