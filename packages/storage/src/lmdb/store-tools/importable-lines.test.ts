import { expect, test } from 'vitest'
import { progressAt } from '../../records.ts'
import { message, session, subscription } from '../../suite/samples.ts'
import { endLine, messageLine, ownedLine, queueLine, retainedLine, sessionLine, type ExportLine } from './export-format.ts'
import { importableLines } from './importable-lines.ts'

test('given a message whose Topic Name has no character, then it is left out and told, and what is around it is not', () => {
  const kept = [queueLine('#'), messageLine(1, ['#'], message('a')), retainedLine(2, message('b')), endLine()]
  const { lines, reported } = importable([...kept.slice(0, 2), messageLine(2, ['#'], message('')), ...kept.slice(2)])
  expect(lines).toEqual(kept)
  expect(reported).toEqual([
    'a line of the kind message is left out, for an import would refuse it: message.topicName is ""; accepted is a Topic Name, and a Topic Name must have at least one character'
  ])
})

test('given a session with a subscription that nobody can have made, then so is what belongs to it', () => {
  const whole = sessionLine(session('whole'), [subscription('#')], progressAt(0))
  const { lines, reported } = importable([
    whole,
    sessionLine(session('damaged'), [subscription('a#')], progressAt(0)),
    ownedLine('received', 'whole', 1, message('a')),
    ownedLine('inflight', 'damaged', 1, message('a'))
  ])
  expect(lines).toEqual([whole, ownedLine('received', 'whole', 1, message('a'))])
  expect(reported).toEqual([
    expect.stringMatching(/^a line of the kind session is left out, .*: subscriptions\[0\]\.topicFilter is "a#"; /),
    'a line of the kind inflight is left out, as is session "damaged", which it belongs to'
  ])
})

function importable(exported: readonly ExportLine[]): { readonly lines: ExportLine[]; readonly reported: string[] } {
  const reported: string[] = []
  const lines = [...importableLines(exported, (what) => void reported.push(what))]
  return { lines, reported }
}
