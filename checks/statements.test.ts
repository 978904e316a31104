import { expect, test } from 'vitest'
import { checkStatements, readStatements } from './statements.ts'
import { committedFiles } from './workspace.ts'

test('the statements that code and documents name exist', () => {
  const files = committedFiles()
  const statements = readStatements(files)
  expect(statements['5.0']?.size).toBeGreaterThan(250)
  expect(statements['3.1.1']?.size).toBeGreaterThan(140)
  // conformance/ compares its lists with its tests itself; the wrong ones below are this file's own.
  const read = files.filter(({ path }) => !path.startsWith('conformance/') && path !== 'checks/statements.test.ts')
  expect(checkStatements(read, statements)).toEqual([])
})

const statements = readStatements([
  { path: 'conformance/mqtt-5.0.tsv', text: 'id\tbinds\nMQTT-3.1.2-8\tserver\nMQTT-3.1.2-9\tserver\n' },
  { path: 'conformance/mqtt-3.1.1.tsv', text: 'id\tbinds\nMQTT-1.5.3-1\tboth\n' }
])

test.each([
  ['// [5.0 MQTT-3.1.2-8]', []],
  ['[5.0 MQTT-3.1.2-8, MQTT-3.1.2-9] and [3.1.1 MQTT-1.5.3-1]', []],
  ['[5.0 4.1] without a number', []],
  ['[5.0 MQTT-1.5.3-1]', ['a.ts:1: 5.0 has no MQTT-1.5.3-1']],
  ['[3.1.1 MQTT-3.1.2-8]', ['a.ts:1: 3.1.1 has no MQTT-3.1.2-8']],
  ['[MQTT-3.1.2-8]', ['a.ts:1: MQTT-3.1.2-8 of which version?']],
  ['[5.0 MQTT-3.1.2-8] [MQTT-3.1.2-9]', ['a.ts:1: MQTT-3.1.2-9 of which version?']]
])('%s', (text, findings) => {
  expect(checkStatements([{ path: 'a.ts', text }], statements)).toEqual(findings)
})
