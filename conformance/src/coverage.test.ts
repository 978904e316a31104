import { describe, expect, test } from 'vitest'
import { compareWithTests } from './coverage.ts'
import { clientOnly, SPECIFICATIONS, statements, untested } from './tables.ts'
import { statementsNamed, testTitles, titlesIn } from './test-titles.ts'

describe('the statements of both specifications', () => {
  test('are all there', () => {
    const counts = SPECIFICATIONS.map(
      (specification) => statements().filter(({ id }) => id.startsWith(`${specification} `)).length
    )
    expect(counts).toEqual([251, 141])
    expect(new Set(statements().map(({ id }) => id)).size).toBe(251 + 141)
  })

  test('are each tied to a test by their id, or listed as untested with the reason', () => {
    const { binding, tested, findings } = compareWithTests(statements(), clientOnly(), untested(), testTitles())
    console.log(`${tested.length} of ${binding.length} statements that bind a server are tested`)
    expect(findings).toEqual([])
  })
})

describe('the comparison', () => {
  const both = [
    { id: '5.0 MQTT-3.1.0-2', binds: 'server' },
    { id: '5.0 MQTT-3.1.2-20', binds: 'client' }
  ] as const
  const inner = [{ id: '5.0 MQTT-3.1.2-20', reason: 'inside' }]
  const titled = (title: string) => [{ title, path: 'a.test.ts' }]

  test('is content with a test for what binds a server', () => {
    expect(compareWithTests(both, inner, [], titled('[5.0 MQTT-3.1.0-2] holds')).findings).toEqual([])
  })

  test('finds what is neither tested nor listed, also among what clients must not send', () => {
    const { findings, tested } = compareWithTests(both, [], [], titled('[3.1.1 MQTT-3.1.0-2] is of the other specification'))
    expect(findings).toEqual([
      'a.test.ts: a test names 3.1.1 MQTT-3.1.0-2, which does not exist',
      '5.0 MQTT-3.1.0-2 has no test and is not listed as untested',
      '5.0 MQTT-3.1.2-20 has no test and is not listed as untested'
    ])
    expect(tested).toEqual([])
  })

  test('finds what is listed though it is tested, need not be tested, or does not bind clients only', () => {
    const listed = [...inner, { id: '5.0 MQTT-3.1.0-2', reason: 'too hard' }]
    expect(compareWithTests(both, inner, listed, titled('[5.0 MQTT-3.1.0-2] holds')).findings).toEqual([
      '5.0 MQTT-3.1.0-2 is listed as untested, but has a test',
      '5.0 MQTT-3.1.2-20 is listed as untested, but need not be tested',
      '5.0 MQTT-3.1.2-20 is listed twice'
    ])
    const wrong = [{ id: '5.0 MQTT-3.1.0-2', reason: 'inside' }]
    expect(compareWithTests(both, wrong, [], titled('[5.0 MQTT-3.1.2-20] is refused')).findings).toEqual([
      '5.0 MQTT-3.1.0-2 is listed as binding clients only, but does not'
    ])
  })
})

describe('the titles of tests', () => {
  test('are found in every form of test, wherever the string begins', () => {
    const source = [
      "scenario('one', async () => {})",
      'describe("two", () => {',
      '  test(',
      '    `three`,',
      "  it.for(cases)('four', () => {})",
      "test.each([[1]])('five isn\\'t six', () => {})"
    ]
    expect(titlesIn(source.join('\n'))).toEqual(['one', 'two', 'three', 'four', "five isn\\'t six"])
  })

  test('are not found where no test runs', () => {
    const source = ["// scenario('one')", "test.skip('two')", "it.todo('three')", "const title = test ? 'four' : 'five'"]
    expect(titlesIn(source.join('\n'))).toEqual([])
  })

  test('name statements by specification and number', () => {
    expect(statementsNamed('[5.0 MQTT-3.1.2-8] [3.1.1 MQTT-4.8.0-1] MQTT-1.5.4-1 [5.0 4.8.2] a title')).toEqual([
      '5.0 MQTT-3.1.2-8',
      '3.1.1 MQTT-4.8.0-1'
    ])
  })
})
