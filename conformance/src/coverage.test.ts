import { describe, expect, test } from 'vitest'
import { checkClientOnly, compareWithTests } from './coverage.ts'
import { clientOnly, type Role, ROLES, SPECIFICATIONS, statements, untested } from './tables.ts'
import { statementsNamed, testTitles, titlesIn } from './test-titles.ts'

describe('the statements of both specifications', () => {
  test('are all there', () => {
    const counts = SPECIFICATIONS.map(
      (specification) => statements().filter(({ id }) => id.startsWith(`${specification} `)).length
    )
    expect(counts).toEqual([251, 141])
    expect(new Set(statements().map(({ id }) => id)).size).toBe(251 + 141)
  })

  test.each(ROLES)('are each tied to a test of a %s by their id, or listed as untested with the reason', (role) => {
    const { binding, tested, findings } = compareWithTests(role, statements(), clientOnly(), untested(), testTitles())
    console.log(`${tested.length} of ${binding.length} statements that bind a ${role} are tested`)
    expect(findings).toEqual([])
  })

  test('that no server can see broken bind clients', () => {
    expect(checkClientOnly(statements(), clientOnly())).toEqual([])
  })
})

describe('the comparison', () => {
  const all = [
    { id: '5.0 MQTT-3.1.0-2', binds: 'server' },
    { id: '5.0 MQTT-3.1.2-20', binds: 'client' },
    { id: '5.0 MQTT-3.1.2-23', binds: 'both' }
  ] as const
  const inner = [{ id: '5.0 MQTT-3.1.2-20', reason: 'inside' }]
  const titled = (role: Role, title: string) => ({ title, role, path: `${role}.test.ts` })

  test('is content with a test for what binds a role', () => {
    const titles = [
      titled('server', '[5.0 MQTT-3.1.0-2] [5.0 MQTT-3.1.2-23] holds'),
      titled('client', '[5.0 MQTT-3.1.2-20] [5.0 MQTT-3.1.2-23] holds')
    ]
    for (const role of ROLES) expect(compareWithTests(role, all, inner, [], titles).findings).toEqual([])
  })

  test('finds what is neither tested nor listed; a test of one end is none of the other', () => {
    const titles = [
      titled('server', '[5.0 MQTT-3.1.2-23] holds'),
      titled('client', '[3.1.1 MQTT-3.1.0-2] is of the other specification')
    ]
    expect(compareWithTests('client', all, inner, [], titles)).toEqual({
      binding: ['5.0 MQTT-3.1.2-20', '5.0 MQTT-3.1.2-23'],
      tested: [],
      findings: [
        'client.test.ts: a test names 3.1.1 MQTT-3.1.0-2, which does not exist',
        '5.0 MQTT-3.1.2-20 has no test of a client and is not listed as untested',
        '5.0 MQTT-3.1.2-23 has no test of a client and is not listed as untested'
      ]
    })
  })

  test('holds a server also to what clients must not send, unless no server can see it', () => {
    const withoutInner = compareWithTests('server', all, [], [], [])
    expect(withoutInner.binding).toEqual(['5.0 MQTT-3.1.0-2', '5.0 MQTT-3.1.2-20', '5.0 MQTT-3.1.2-23'])
    expect(compareWithTests('server', all, inner, [], []).binding).toEqual(['5.0 MQTT-3.1.0-2', '5.0 MQTT-3.1.2-23'])
  })

  test('finds what is listed though it is tested, or need not be', () => {
    const listed = ['5.0 MQTT-3.1.2-23', '5.0 MQTT-3.1.0-2', '5.0 MQTT-3.1.2-20', '5.0 MQTT-3.1.2-20'].map((id) => ({
      id,
      role: 'client' as const,
      reason: 'too hard'
    }))
    expect(compareWithTests('client', all, inner, listed, [titled('client', '[5.0 MQTT-3.1.2-23] holds')]).findings).toEqual([
      '5.0 MQTT-3.1.2-23 is listed as untested for a client, but has a test',
      '5.0 MQTT-3.1.0-2 is listed as untested for a client, but need not be tested',
      '5.0 MQTT-3.1.2-20 is listed twice'
    ])
  })

  test('finds what is said to bind clients only and does not', () => {
    expect(checkClientOnly(all, [{ id: '5.0 MQTT-3.1.2-23', reason: 'inside' }, ...inner, ...inner])).toEqual([
      '5.0 MQTT-3.1.2-23 is listed as binding clients only, but does not',
      '5.0 MQTT-3.1.2-20 is listed twice'
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
      "served('of a client', async () => {})",
      "test.each([[1]])('five isn\\'t six', () => {})"
    ]
    expect(titlesIn(source.join('\n'))).toEqual(['one', 'two', 'three', 'four', 'of a client', "five isn\\'t six"])
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
