import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FilterIndex } from './filter-index.ts'
import { collectGarbage } from './garbage.test.support.ts'
import { FilterNode } from './subscription-tree.ts'

// fast-check prints its seed when a property fails.

async function heapBytes(): Promise<number> {
  await collectGarbage()
  return process.memoryUsage().heapUsed
}

const root = new FilterNode(undefined, '')

describe('the index of filter nodes', () => {
  it('given any nodes that come and go, then each is found by the node above it and its text, and nothing else is', () => {
    // Few texts of few characters, so that nodes come again; a random source that makes hashes alike, so that they collide.
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'ä'), maxLength: 3 })
    const step = fc.record({ text, isBelowRoot: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), fc.constantFrom(0, 0.5, 0.99), (steps, chance) => {
        const index = new FilterIndex(() => chance)
        const present = new Map<string, FilterNode>()
        for (const { text: level, isBelowRoot } of steps) {
          const parent = isBelowRoot ? root : undefined
          const key = `${isBelowRoot} ${level}`
          const known = present.get(key)
          if (known === undefined) {
            const node = new FilterNode(parent, level)
            index.add(node)
            present.set(key, node)
          } else {
            index.delete(known)
            present.delete(key)
          }
          const around = `x${level}y`
          expect(index.get(parent, around, 1, around.length - 1)).toBe(present.get(key))
        }
        expect(index.size).toBe(present.size)
        for (const node of present.values()) expect(index.get(node.parent, node.level, 0, node.level.length)).toBe(node)
      })
    )
  })

  it('given a hundred thousand nodes that come and go again, then none is left', () => {
    const index = new FilterIndex(Math.random)
    const nodes = Array.from({ length: 100_000 }, (_, number) => new FilterNode(undefined, `devices/${number}`))
    for (const node of nodes) index.add(node)
    expect(nodes.every((node) => index.get(undefined, node.level, 0, node.level.length) === node)).toBe(true)
    for (const node of nodes) index.delete(node)
    expect(index.size).toBe(0)
    expect(nodes.some((node) => index.get(undefined, node.level, 0, node.level.length) !== undefined)).toBe(false)
  })

  it('given a hundred thousand nodes that come and go again, then it takes no more memory than before', async () => {
    const index = new FilterIndex(Math.random)
    const before = await heapBytes()
    const comeAndGo = (): void => {
      const nodes = Array.from({ length: 100_000 }, (_, number) => new FilterNode(undefined, `devices/${number}`))
      for (const node of nodes) index.add(node)
      for (const node of nodes) index.delete(node)
    }
    comeAndGo()
    // Their places alone would take more than a megabyte.
    expect((await heapBytes()) - before).toBeLessThan(300_000)
    expect(index.size).toBe(0)
  })
})
