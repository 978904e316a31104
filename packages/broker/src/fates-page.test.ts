import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FATE_NAMES, FATES } from './fate-catalogue.ts'

const docs = join(import.meta.dirname, '../../../docs')
const BEGIN = '<!-- The table below is made from the catalogue: `npx vitest run packages/broker/src/fates-page -u` -->'
const END = '<!-- The end of the table -->'

const COUNTED_FOR = { publisher: 'its publisher', subscriber: 'whom it was for', either: 'either' } as const

function capitalized(phrase: string): string {
  return phrase.charAt(0).toUpperCase() + phrase.slice(1)
}

function table(): string {
  const rows = FATE_NAMES.map((fate) => {
    const { meaning, countedFor, remedy } = FATES[fate]
    return `| \`${fate}\` | ${capitalized(meaning)} | ${COUNTED_FOR[countedFor]} | ${capitalized(remedy)} |`
  })
  return ['| fate | meaning | counted for | what to do |', '|---|---|---|---|', ...rows].join('\n')
}

function withTable(page: string): string {
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error('the page has no marks for the table')
  return `${before}${BEGIN}\n${table()}\n${END}${after}`
}

describe('the pages about fates', () => {
  it('docs/fates.md has the whole catalogue; -u writes it anew', async () => {
    const page = join(docs, 'fates.md')
    await expect(withTable(readFileSync(page, 'utf8'))).toMatchFileSnapshot(page)
  })

  it('docs/diagnose.md names no fate that there is not', () => {
    const page = readFileSync(join(docs, 'diagnose.md'), 'utf8')
    const [, section = ''] = page.split('| fate | what to look at |')
    const named = [...section.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, fate]) => fate)
    const shown = [...page.matchAll(/fate=([a-z-]+)|fates\/clients\/[\w$%]+\/([a-z-]+) \d+/g)].map(
      ([, logged, told]) => logged ?? told
    )
    expect([named.length > 5, shown.length > 2]).toEqual([true, true])
    expect(FATE_NAMES).toEqual(expect.arrayContaining([...named, ...shown]))
  })
})
