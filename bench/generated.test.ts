import { expect, it } from 'vitest'
import { replaceGenerated } from './generated.ts'

const DOCUMENT = `# Bench
<!-- generated: one -->
old
<!-- generated: end -->
by hand
<!-- generated: two -->
<!-- generated: end -->
`

it('replaces a part, and nothing else', () => {
  expect(replaceGenerated(DOCUMENT, 'one', 'new\n\n')).toBe(DOCUMENT.replace('old', 'new'))
  expect(replaceGenerated(DOCUMENT, 'two', 'first')).toBe(DOCUMENT.replace('two -->\n', 'two -->\nfirst\n'))
})

it('given the same content again, then the document stays as it is', () => {
  const once = replaceGenerated(DOCUMENT, 'two', '| a |\n')
  expect(replaceGenerated(once, 'two', '| a |\n')).toBe(once)
})

it('given a name that no part has, then it says so', () => {
  expect(() => replaceGenerated(DOCUMENT, 'three', '')).toThrow('no part is marked as generated: three')
})
