import { expect, test } from 'vitest'
import type { Load } from './load.ts'
import { ProgressLine } from './progress.ts'
import { type Moment, Recorder } from './recorder.ts'
import { ThreadFigures } from './thread-figures.ts'
import { runWith } from './report.test.support.ts'

const load: Load = {
  scenario: 'p2p',
  qos: 1,
  publishers: 1,
  subscribers: 1,
  payloadBytes: 64,
  inflight: 1,
  ratePerSecond: undefined,
  messages: undefined,
  durationMs: 1_000,
  warmUpMs: 0,
  holdMs: 0,
  topic: 't'
}
const request = { load, target: { name: 'B', flags: {}, url: '', pid: undefined }, round: 2, threads: 1 } as const
const [point] = runWith(12_345).series

function momentWith(failed: number): Moment {
  const figures = new ThreadFigures()
  figures.failed = failed
  return new Recorder('delivery', undefined).take([figures.sample(0, true)]).moment
}

function shownOn(isTerminal: boolean, columns: number, timesMs: readonly number[]): string {
  let shown = ''
  let timeMs = 0
  const progress = new ProgressLine({ isTerminal, columns, write: (text) => void (shown += text) }, () => timeMs)
  const onProgress = progress.forRun(request, 2, 5)
  for (timeMs of timesMs) if (point !== undefined) onProgress('measuring', point, momentWith(3))
  progress.clear()
  return shown
}

test('without a terminal, there is a plain line each second', () => {
  const line = 'p2p, QoS 1 B round 2/5  measuring  12,345/s  50 % 1 ms  99 % 3 ms  max 5 ms  3 errors\n'
  expect(shownOn(false, 80, [0, 200, 999, 1_000, 1_500])).toBe(line + line)
})

test('on a terminal, the line is drawn over itself, never wraps, and is gone in the end', () => {
  const lines = shownOn(true, 40, [0, 100, 200]).split('\r\u001B[K')
  expect(lines).toEqual(['', expect.stringMatching(/^p2p, QoS 1 B round 2\/5 {2}measuring/), expect.any(String), ''])
  expect(Math.max(...lines.map((line) => line.length))).toBe(39)
})
