import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { textMatching } from './expectations.test.support.ts'
import { program } from './run.ts'
import { shellCommands } from './shell-words.test.support.ts'

const WIDTH_MAX = 100

function verbs(command: Command, path: string): (readonly [path: string, verb: Command])[] {
  return [[path, command], ...command.commands.flatMap((verb) => verbs(verb, `${path} ${verb.name()}`))]
}

const all = verbs(
  program(() => Promise.resolve()),
  'godwit'
)

/** What `--help` prints, examples included, in a window of any width. */
function helpOf(verb: Command, columns: number): string {
  let help = ''
  verb.configureOutput({ getOutHelpWidth: () => columns, writeOut: (text) => (help += text) })
  verb.outputHelp()
  return help
}

/** Lines of the help that are commands. */
function examplesOf(verb: Command): string[] {
  return [...helpOf(verb, WIDTH_MAX).matchAll(/^ {4}(.*\bgodwit .*)$/gm)].map(([, line = '']) => line)
}

describe.each(all)('%s --help', (_path, verb) => {
  test('describes every flag, argument and verb', () => {
    for (const { flags, description, hidden } of verb.options) if (!hidden) expect(description, flags).not.toBe('')
    for (const argument of verb.registeredArguments) expect(argument.description, argument.name()).not.toBe('')
    expect(verb.description()).not.toBe('')
  })

  test('has lines of at most 100 columns, whatever the window', () => {
    const lines = helpOf(verb, WIDTH_MAX).split('\n')
    expect(lines.filter((line) => line.length > WIDTH_MAX)).toEqual([])
    expect(lines.filter((line) => line !== line.trimEnd())).toEqual([])
  })

  test('stays as it is until somebody changes it on purpose', () => {
    expect(helpOf(verb, WIDTH_MAX)).toMatchSnapshot()
  })
})

describe.each(all.filter(([, verb]) => examplesOf(verb).length > 0))('%s --help', (_path, verb) => {
  test.each(examplesOf(verb))('has an example that is accepted: %s', async (example) => {
    const commands = shellCommands(example).filter(([name]) => name === 'godwit')
    for (const [, ...args] of commands) {
      const called: string[] = []
      const godwit = program(() => Promise.resolve())
      for (const [path, each] of verbs(godwit, 'godwit')) each.action(() => void called.push(path))
      await godwit.parseAsync(args, { from: 'user' })
      expect(called).toEqual([textMatching(new RegExp(`^godwit ${args[0] ?? ''}\\b`))])
    }
  })
})

test.each(['pub', 'sub', 'request', 'profile save', 'completion'])('godwit %s --help has examples', (path) => {
  const [, verb] = all.find(([each]) => each === `godwit ${path}`) ?? []
  expect(verb === undefined ? [] : examplesOf(verb)).not.toEqual([])
})
