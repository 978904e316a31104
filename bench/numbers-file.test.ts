import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { readNumbers, writeNumbers } from './numbers-file.ts'

function temporaryFile(): URL {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-numbers-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return pathToFileURL(join(folder, 'numbers.json'))
}

it('given a table, then it comes back with as many digits as say something', () => {
  const file = temporaryFile()
  writeNumbers(file, { 'p2p-q0': { heapBytes: 680.7, reads: 0.020_04, writes: 99.96 } })
  expect(readNumbers(file)).toEqual({ 'p2p-q0': { heapBytes: 681, reads: 0.02, writes: 100 } })
})

it.each(['[]', '{"row":1}', '{"row":{"kind":"many"}}', 'null'])('given %s, then it is refused', (text) => {
  const file = temporaryFile()
  writeFileSync(file, text)
  expect(() => readNumbers(file)).toThrow('not a table of numbers')
})
