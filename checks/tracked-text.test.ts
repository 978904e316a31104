import { expect, test } from 'vitest'
import { checkLength, checkText, type LongFiles } from './tracked-text.ts'
import { committedFiles } from './workspace.ts'

const longFiles: LongFiles = {}

test('committed files hold nothing unwanted', () => {
  const files = committedFiles()
  expect(files.map(({ path }) => path)).toContain('package.json')
  expect(checkText(files)).toEqual([])
})

test('files are of a length that one idea needs', () => {
  expect(checkLength(committedFiles(), longFiles)).toEqual([])
})

test.each([
  ['a path of one machine', 'conf.md', ['see /ho', 'me/ann/x']],
  ['a path of one machine', 'a.json', ['"/wo', 'rk/main"']],
  ["a registry's address", 'ci.yml', ['https://regis', 'try.npmjs.org/ws']],
  ["a registry's address", 'a.npmrc', ['http://arti', 'factory.example.com/npm']],
  ['a silenced compiler', 'a.ts', ['// @ts-ig', 'nore']],
  ['a silenced compiler', 'a.ts', ['// @ts-ex', 'pect-error']],
  ['a silenced linter', 'a.ts', ['// oxlint-dis', 'able-next-line no-console']],
  ['a forced cast', 'a.ts', ['const x = y as a', 'ny']],
  ['a forced cast', 'a.ts', ['const x = y as unk', 'nown as string']],
  ['a focused test', 'a.test.ts', ['test.on', "ly('x')"]],
  ['a skipped test without a condition', 'a.test.ts', ['test.sk', "ip('x')"]],
  ['a note of unfinished work', 'a.ts', ['// TO', 'DO: later']],
  ['a note of unfinished work', 'a.ts', ["throw new Error('no", "t implemented')"]],
  ['a mark of a merge', 'a.md', ['<<<<', '<<< HEAD']],
  ['white space at the end of a line', 'a.md', ['word', ' ']],
  ['a tab where spaces indent', 'a.ts', ['\t', 'x']],
  ['a carriage return', 'a.sh', ['x', '\ry']]
])('%s is found in %s', (what, path, parts) => {
  expect(checkText([{ path, text: `first\n${parts.join('')}\n` }])).toEqual([`${path}:2: ${what}`])
})

test('a file that does not end in a newline is found', () => {
  expect(checkText([{ path: 'a.md', text: 'x' }])).toEqual(['a.md: no newline at the end'])
})

test('ordinary text passes', () => {
  const lines = [
    "import { x } from './home/only.ts'",
    "const path = '/etc/godwit/config.yaml' // see https://example.com/users/ann",
    'if (list.only) skip()',
    "  test.skip('needs openssl')",
    ['/** Bounded, as a', 'ny queue is. */'].join(''),
    ''
  ]
  expect(checkText([{ path: 'a.ts', text: lines.join('\n') }])).toEqual([])
})

test('a long file is found, unless it is listed with its reason', () => {
  const files = [
    { path: 'a.ts', text: 'x\n'.repeat(501) },
    { path: 'b.ts', text: 'x\n'.repeat(500) },
    { path: 'c.test.ts', text: 'x\n'.repeat(801) },
    { path: 'd.md', text: 'x\n'.repeat(900) }
  ]
  expect(checkLength(files, { 'c.test.ts': 'one table' })).toEqual([
    'a.ts: 501 lines, more than 500: does a second idea live in it?'
  ])
  expect(checkLength([], { 'c.test.ts': 'one table' })).toEqual(['c.test.ts: no longer long: strike it off'])
})
