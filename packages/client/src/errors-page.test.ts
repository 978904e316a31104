import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const PAGE = join(import.meta.dirname, '../../../docs/client/errors.md')

const read = (file: string): string => readFileSync(join(import.meta.dirname, file), 'utf8')

/** What stands between the marks of a table, as `-u` writes it anew. */
function withTable(page: string, source: string, rows: readonly string[]): string {
  const begin = `<!-- The table below is made from ${source}: \`npx vitest run packages/client/src/errors-page -u\` -->`
  const end = '<!-- The end of the table -->'
  const [before, rest] = page.split(begin)
  const [old, ...after] = rest?.split(end) ?? []
  if (before === undefined || old === undefined || after.length === 0) throw new Error(`the page has no table of ${source}`)
  return [`${before}${begin}\n${rows.join('\n')}\n`, ...after].join(end)
}

/** A docstring on one line. */
function textOf(docstring: string): string {
  return docstring.replaceAll(/\s*\n\s*\*\s*/g, ' ').trim()
}

interface Described {
  readonly name: string
  readonly meaning: string
}

/** The members of `ClientErrorCode`. */
function errorCodes(): Described[] {
  const [, union = ''] = /export type ClientErrorCode =\n(.*?)\n\n/s.exec(read('client-error.ts')) ?? []
  expect(union.match(/\| '/g)).toHaveLength([...union.matchAll(/\*\/\s*\| '/g)].length)
  return [...union.matchAll(/\/\*\*(.*?)\*\/\s*\| '([a-z-]+)'/gs)].map(([, docstring = '', name = '']) => ({
    name,
    meaning: textOf(docstring)
  }))
}

/** The members of `ClientEvents`, with what each brings. */
function events(): (Described & { readonly fields: readonly string[] })[] {
  const [, body = ''] = /export interface ClientEvents \{\n(.*?)\n\}/s.exec(read('events.ts')) ?? []
  const members = [...body.matchAll(/^ {2}\/\*\*(.*?)\*\/\n {2}(\w+): ([^\n]*)$/gms)]
  expect(members).toHaveLength([...body.matchAll(/^ {2}\w+: /gm)].length)
  return members.map(([, docstring = '', name = '', type = '']) => ({ name, meaning: textOf(docstring), fields: fieldsOf(type) }))
}

function fieldsOf(type: string): string[] {
  const [, members = type] =
    new RegExp(`export interface ${type} \\{\\n(.*?)\\n\\}`, 's').exec(/^\w+$/.test(type) ? read('events.ts') : '') ?? []
  return [...members.matchAll(/readonly (\w+):/g)].map(([, field = '']) => field)
}

function code(text: string): string {
  return `\`${text}\``
}

describe('docs/client/errors.md', () => {
  const codes = errorCodes()

  it('has every code and every event; -u writes it anew', async () => {
    const ofCodes = codes.map(({ name, meaning }) => `| ${code(name)} | ${meaning} |`)
    const ofEvents = events().map(
      ({ name, meaning, fields }) => `| ${code(name)} | ${fields.map(code).join(', ')} | ${meaning} |`
    )
    const page = withTable(readFileSync(PAGE, 'utf8'), 'client-error.ts', ['| `code` | meaning |', '|---|---|', ...ofCodes])
    const whole = withTable(page, 'events.ts', ['| event | with | meaning |', '|---|---|---|', ...ofEvents])
    expect([ofCodes.length > 15, ofEvents.length > 15]).toEqual([true, true])
    await expect(whole).toMatchFileSnapshot(PAGE)
  })

  it('says of every code what to do about it, and of no other', () => {
    const [, advice = ''] = /\n\| `code` \| what to do \|\n(.*?)\n\n/s.exec(readFileSync(PAGE, 'utf8')) ?? []
    const advised = [...advice.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name)
    )
    expect(advised).toHaveLength(codes.length)
    expect(new Set(advised)).toEqual(new Set(codes.map(({ name }) => name)))
  })
})
