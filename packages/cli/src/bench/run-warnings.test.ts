import { expect, test } from 'vitest'
import { Recorder } from './recorder.ts'
import { runWith } from './report.test.support.ts'
import type { RunResult } from './results.ts'
import { warningsOf } from './run-warnings.ts'
import { ThreadFigures } from './thread-figures.ts'

const quiet = new Recorder('delivery', undefined).take([new ThreadFigures().sample(0, true)]).moment
const usage = { cpuPercent: 95, messagesPerCpuSecond: 1, residentBytes: 1, residentBytesBefore: 1 }
const busy = { threads: [{ cpuPercent: 96, busyPercent: 99 }], lagMs: 0, isLimit: true }
const { settings } = runWith(100)

test.each<readonly [what: string, changes: Partial<RunResult>, warning: RegExp | undefined]>([
  ['all was well', {}, undefined],
  ['a thread had no time left', { generator: busy }, /^the generator was the limit \(a thread was busy 99 % of the time\)/],
  [
    'neither had the broker',
    { generator: busy, process: usage },
    /^the generator had no time left .*, nor had the broker \(95 %/
  ],
  [
    'a thread got no processor',
    { generator: { ...busy, threads: [{ cpuPercent: 40, busyPercent: 99 }] } },
    /^the generator had to wait for a processor: .* busy 99 % .* got 40 %/
  ],
  [
    'the rate was not reached',
    { settings: { ...settings, ratePerSecond: 1_000 } },
    /^100 of 1,000 messages\/s could be published$/
  ],
  ['the rate was all but reached', { settings: { ...settings, ratePerSecond: 101 } }, undefined],
  [
    'the generator was late',
    { settings: { ...settings, ratePerSecond: 100 }, generator: { ...busy, isLimit: false, lagMs: 34.6 } },
    /^messages left up to 35 ms late by the generator's own fault/
  ],
  ['something failed', { errors: { count: 1, kinds: [{ message: 'refused', count: 1 }] } }, /^1 error: refused$/]
])('when %s', (_what, changes, warning) => {
  const warnings = warningsOf(runWith(100, changes), quiet)
  expect(warnings).toEqual(warning === undefined ? [] : [expect.stringMatching(warning)])
})
