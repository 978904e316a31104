import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { ExitCode } from './exit-code.ts'
import { program } from './run.ts'
import { SERVE_FLAGS } from './serve-flags.ts'

const root = join(import.meta.dirname, '../../..')
const pages = globSync(['README.md', 'docs/*.md', 'packages/{cli,server}/README.md'], { cwd: root })
const godwit = program(() => Promise.resolve())
const storeVerbs = new Map(verbOf('store').commands.map((verb) => [verb.name(), verb]))

function verbOf(name: string): Command {
  const verb = godwit.commands.find((each) => each.name() === name)
  if (verb === undefined) throw new Error(`there is no verb ${name}`)
  return verb
}

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

test('docs/cli.md has every exit code', () => {
  const page = readFileSync(join(root, 'docs/cli.md'), 'utf8')
  const missing = Object.values(ExitCode).filter((code) => !page.includes(`\n| ${code} | `))
  // It is of the verbs that read a broker's data.
  expect(missing).toEqual([ExitCode.DataUnreadable])
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
    const [, ...args] = words
    if (args[0] === '--help') return
    let verb = godwit
    while (verb.commands.length > 0) {
      const name = args.shift() ?? ''
      const named = verb.commands.find((each) => each.name() === name)
      expect(verb.commands.map((each) => each.name())).toContain(name)
      verb = named ?? verb
    }
    const known = [...verb.options.map(({ long }) => long), '--help', '--version']
    for (const flag of args.filter((word) => word.startsWith('--'))) expect(known).toContain(flag)
  })
})
