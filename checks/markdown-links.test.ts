import { expect, test } from 'vitest'
import { checkLinks } from './markdown-links.ts'
import { committedFiles } from './workspace.ts'

test('links to the repository lead somewhere', () => {
  expect(checkLinks(committedFiles())).toEqual([])
})

const guide = { path: 'docs/guide.md', text: '# The `godwit` guide\n## Listen, with TLS\n## Again\n## Again\n' }

function linksFrom(text: string): string[] {
  return checkLinks([guide, { path: 'docs/index.md', text }, { path: 'packages/broker/src/index.ts', text: '' }])
}

test.each([
  '[a](guide.md)',
  '[a](./guide.md#the-godwit-guide)',
  '[a](guide.md#listen-with-tls)',
  '[a](guide.md#again-1)',
  '[a](../packages/broker/)',
  '[a](../packages/broker/src/index.ts#L3)',
  '[a](https://example.com/nowhere.md)',
  '[a](mailto:ann@example.com)',
  '# Here\n[a](#here)',
  'code: `[a](nowhere.md)`',
  '```\n[a](nowhere.md)\n```'
])('%s passes', (text) => {
  expect(linksFrom(text)).toEqual([])
})

test.each([
  ['[a](nowhere.md)', 'docs/index.md:1: nowhere.md leads nowhere'],
  ['![a](picture.svg)', 'docs/index.md:1: picture.svg leads nowhere'],
  ['[a]: ../guide.md', 'docs/index.md:1: ../guide.md leads nowhere'],
  ['x\n[a](guide.md#nothing)', 'docs/index.md:2: docs/guide.md has no heading #nothing'],
  ['[a](guide.md#again-2)', 'docs/index.md:1: docs/guide.md has no heading #again-2'],
  ['[a](#here)', 'docs/index.md:1: docs/index.md has no heading #here'],
  ['```\ncode\n```\n[a](nowhere.md)', 'docs/index.md:4: nowhere.md leads nowhere']
])('%s is found', (text, finding) => {
  expect(linksFrom(text)).toEqual([finding])
})
