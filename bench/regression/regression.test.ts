import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readBaseline, regressions } from './baseline.ts'
import { measureFigures } from './figures.ts'
import { type Pattern, PATTERNS } from './patterns.ts'

const named = (name: string): Pattern[] => PATTERNS.filter((pattern) => pattern.name === name)

function planted(regression: URL): readonly string[] {
  return [`--import=${regression.href}`]
}

describe.skipIf(!existsSync('/proc/self/io'))('needs /proc: what the broker spends on a message', { timeout: 60_000 }, () => {
  // After a change that makes it cheaper, or dearer for a good reason: npm run bench:figures -- --store
  it('given messages that take well-known ways, then it is not much above the baseline', async () => {
    let found = regressions(await measureFigures(PATTERNS), readBaseline())
    // Whatever disturbs a measurement adds to it: what is too much is so again.
    if (found.length > 0) found = regressions(await measureFigures(PATTERNS), readBaseline())
    expect(found).toEqual([])
  })

  // These two are mistakes planted in the program, so that it is known that the check would notice.
  it('given a broker that copies each packet, then its allocations are found to be above the baseline', async () => {
    const figures = await measureFigures(named('p2p-q1'), planted(new URL('spread-each-packet.ts', import.meta.url)))
    expect(regressions(figures, readBaseline()).join('\n')).toMatch(/^p2p-q1: heapBytes per message/)
  })

  it('given a broker that writes twice where it could once, then its writes are found to be above the baseline', async () => {
    const figures = await measureFigures(named('fanout-q0'), planted(new URL('write-in-halves.ts', import.meta.url)))
    expect(regressions(figures, readBaseline()).join('\n')).toContain('fanout-q0: writes per message')
  })
})

describe('the comparison with the baseline', () => {
  const stored = { 'p2p-q0': { heapBytes: 1000, reads: 0.02, writes: 0.02 } }

  it('given figures within the slack, then nothing is found', () => {
    expect(regressions({ 'p2p-q0': { heapBytes: 1090, reads: 0.021, writes: 0.01 } }, stored)).toEqual([])
  })

  it('given twice the calls, then it is found', () => {
    expect(regressions({ 'p2p-q0': { heapBytes: 1000, reads: 0.02, writes: 0.04 } }, stored)).toEqual([
      'p2p-q0: writes per message 0.0400, in the baseline 0.02'
    ])
  })

  it('given a pattern without a baseline, then it is found', () => {
    expect(regressions({ other: { heapBytes: 0, reads: 0, writes: 0 } }, stored)).toContain('other: reads have no baseline')
  })
})
