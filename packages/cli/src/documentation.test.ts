import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { program } from './run.ts'
import { SERVE_FLAGS } from './serve-flags.ts'

const root = join(import.meta.dirname, '../../..')
const pages = globSync(['README.md', 'docs/*.md', 'packages/{cli,server}/README.md'], { cwd: root })
const verbs = new Map(program(() => Promise.resolve()).commands.map((verb) => [verb.name(), verb]))
const storeVerbs = new Map(verbs.get('store')?.commands.map((verb) => [verb.name(), verb]))

test.each(SERVE_FLAGS)('docs/running.md describes $flag', ({ flag, value }) => {
  const form = value === undefined ? flag : `${flag} ${value.toUpperCase()}`
  expect(readFileSync(join(root, 'docs/running.md'), 'utf8')).toContain(`\`${form}\``)
})

test.each([...storeVerbs])('docs/store.md describes godwit store %s', (name, verb) => {
  const page = readFileSync(join(root, 'docs/store.md'), 'utf8')
  expect(page).toContain(`godwit store ${name} `)
  const flags = verb.options.map(({ flags: flag }) => flag.replace(/ <(.*)>$/, (_, value: string) => ` ${value.toUpperCase()}`))
  for (const flag of flags.filter((each) => each !== '--version')) expect(page).toContain(`\`${flag}\``)
})

describe('the commands that the documentation shows', () => {
  const commands = pages.flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8')
    const blocks = [...text.matchAll(/^```(?:sh|ini)\n(.*?)^```$/gms)].map(([, block = '']) => block).join('\n')
    const shown = [
      ...`${blocks}\n${[...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code).join('\n')}`.matchAll(
        /(?:npm start --|npm run (?:--silent )?godwit --|\bgodwit(?= [a-z]))[^\n#]*/g
      )
    ].map(([command]) => command)
    return shown.map((command) => ({ page, command }))
  })

  test('there are some, on several pages', () => {
    expect(commands.length).toBeGreaterThan(8)
  })

  test.each(commands)('$page: $command', ({ command }) => {
    const words = command
      .replace(/^npm start --/, 'godwit serve')
      .replace(/^npm run (--silent )?godwit --/, 'godwit')
      .split(/\s+/)
    const [, first = '', ...rest] = words
    if (first === '--help') return
    expect([...verbs.keys()]).toContain(first)
    const [second = '', ...args] = first === 'store' ? rest : ['', ...rest]
    const verb = first === 'store' ? storeVerbs.get(second) : verbs.get(first)
    if (first === 'store') expect([...storeVerbs.keys()]).toContain(second)
    const known = [...(verb?.options ?? []).map(({ long }) => long), '--help', '--version']
    for (const flag of args.filter((word) => word.startsWith('--'))) expect(known).toContain(flag)
  })
})
