import { expect, test } from 'vitest'
import { checkChangeNotes } from './change-notes.ts'
import { committedFiles } from './workspace.ts'

test('change notes are well formed', () => {
  expect(checkChangeNotes(committedFiles())).toEqual([])
})

test.each([
  ['changes/keep-alive-of-zero.md', 'Fixed\n\nA client is no longer disconnected.\n', []],
  ['changes/README.md', 'anything', []],
  ['packages/broker/Notes.md', 'anything', []],
  ['changes/KeepAlive.md', 'Fixed\n\nText\n', ['changes/KeepAlive.md: name it after the change, in kebab-case, with .md']],
  [
    'changes/a.md',
    '# Fixed\n\nText\n',
    ["changes/a.md: its first line is one of Added, Changed, Deprecated, Removed, Fixed, Security, not '# Fixed'"]
  ],
  ['changes/a.md', 'Fixed\nText\n', ['changes/a.md: an empty line and a text follow the first line']],
  ['changes/a.md', 'Fixed\n\n', ['changes/a.md: an empty line and a text follow the first line']]
])('%s with %j', (path, text, findings) => {
  expect(checkChangeNotes([{ path, text }])).toEqual(findings)
})
