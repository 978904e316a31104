import { type NumbersTable, readNumbers, writeNumbers } from '../numbers-file.ts'
import type { FiguresOfPatterns } from './figures.ts'

const FILE = new URL('baseline.json', import.meta.url)

/** How far a figure may be above its baseline: the same code measures the same within one per cent, on a busy machine as well. */
const SLACK = 1.1
/** And in bytes, where there are hardly any. */
const HEAP_BYTES_SLACK = 8

export const KINDS = ['heapBytes', 'reads', 'writes'] as const

export function readBaseline(): NumbersTable {
  return readNumbers(FILE)
}

export function storeBaseline(figures: FiguresOfPatterns): void {
  writeNumbers(
    FILE,
    Object.fromEntries(
      Object.entries(figures).map(([name, { heapBytes, reads, writes }]) => [name, { heapBytes, reads, writes }])
    )
  )
}

/** One line for each figure that is above its baseline by more than the slack, or that has none. */
export function regressions(figures: FiguresOfPatterns, baseline: NumbersTable): string[] {
  return Object.entries(figures).flatMap(([name, measured]) =>
    KINDS.flatMap((kind) => {
      const stored = baseline[name]?.[kind]
      if (stored === undefined) return [`${name}: ${kind} have no baseline`]
      const bound = stored * SLACK + (kind === 'heapBytes' ? HEAP_BYTES_SLACK : 0)
      return measured[kind] > bound
        ? [`${name}: ${kind} per message ${measured[kind].toPrecision(3)}, in the baseline ${stored}`]
        : []
    })
  )
}
