import { type FilterNode, SubscriptionTree } from '../../packages/broker/src/subscription-tree.ts'
import type { Measurement } from './measurement.ts'

const OPERATIONS = 200_000

const FILTERS = {
  exact: (index: number) => `sites/${index % 1000}/devices/${index}/state`,
  '+': (index: number) => `sites/${index % 1000}/devices/${index}/+`,
  '#': (index: number) => `sites/${index % 1000}/devices/${index}/#`
} as const

/** The walk down a tree of so many filters for topic names that match one of them each, in no order: no cache helps. */
function matching(kind: keyof typeof FILTERS, filters: number): Measurement {
  let tree: SubscriptionTree | undefined
  return {
    title: `match 1 of ${filters.toLocaleString('en')} filters, ${kind}`,
    operations: OPERATIONS,
    prepare() {
      tree ??= treeOf(filters, FILTERS[kind])
      const grown = tree
      // 7,919 has no factor in common with the numbers of filters.
      const topicNames = Array.from({ length: OPERATIONS }, (_, index) => FILTERS.exact((index * 7919) % filters))
      const matches: FilterNode[] = []
      return () => {
        for (const topicName of topicNames) {
          matches.length = 0
          grown.match(topicName, matches)
          if (matches.length !== 1) throw new Error(`${topicName} matches ${matches.length} filters`)
        }
      }
    }
  }
}

function treeOf(filters: number, filterOf: (index: number) => string): SubscriptionTree {
  const tree = new SubscriptionTree()
  for (let index = 0; index < filters; index++) tree.open(filterOf(index))
  return tree
}

export const matchingMeasurements: readonly Measurement[] = ([1_000, 100_000, 1_000_000] as const).flatMap((filters) =>
  (['exact', '+', '#'] as const).map((kind) => matching(kind, filters))
)
