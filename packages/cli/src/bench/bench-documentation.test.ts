import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compare } from './comparison.ts'
import { BENCH_GROUPS } from './bench-flags.ts'
import { reportWith, roundsWith, runWith } from './report.test.support.ts'
import { SCENARIOS } from './scenarios.ts'

const page = readFileSync(join(import.meta.dirname, '../../../../docs/bench.md'), 'utf8')

/** The page has no need to repeat how to connect. */
const own = BENCH_GROUPS.slice(0, 3).flatMap(({ flags }) => flags)

test.each(own)('docs/bench.md describes $flag', ({ flag }) => {
  expect(page).toMatch(new RegExp(`${/--[a-z-]+/.exec(flag)?.[0] ?? flag}[ \`]`))
})

test.each(Object.keys(SCENARIOS))('docs/bench.md describes %s', (name) => {
  expect(page).toContain(`| \`${name}\` |`)
})

test('docs/bench.md describes every field of the JSON', () => {
  const usage = { cpuPercent: 1, messagesPerCpuSecond: 1, residentBytes: 1, residentBytesBefore: 1 }
  const runs = [...roundsWith('A', [1]), runWith(1, { broker: 'B', process: usage })]
  const comparisons = compare(runs.slice(0, 1), runs.slice(1), 'rounds')
  const names = new Set<string>()
  // Percentages are not fields, and neither are places in a list.
  JSON.stringify(reportWith({ runs, comparisons, baseline: { startedAt: '', comparisons } }), (name, value: unknown) => {
    if (/^[a-z]/i.test(name)) names.add(name)
    return value
  })
  expect(names.size).toBeGreaterThan(60)
  expect([...names].filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})
