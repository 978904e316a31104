import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { program } from '../run.ts'
import { completionScript } from './completion.ts'
import { offerOf } from './values.ts'
import { verbModels } from './verb-model.ts'

const godwit = program(() => Promise.resolve())
const models = verbModels(godwit)

function has(shell: string): boolean {
  return spawnSync(shell, ['-c', 'exit 0']).status === 0
}

test('knows every verb, and every flag that the help shows', () => {
  const paths = models.map(({ path }) => path)
  expect(paths).toEqual(
    expect.arrayContaining(['', 'serve', 'store check', 'pub', 'sub', 'request', 'profile save', 'completion'])
  )
  for (const { path, flags } of models) {
    const verb = path.split(' ').reduce((at, name) => at.commands.find((each) => each.name() === name) ?? at, godwit)
    const spelled = new Set(flags.flatMap(({ short, long }) => [short, long]))
    for (const { short, long, hidden } of verb.options) {
      expect(spelled.has(long) && spelled.has(short), `${path} ${long ?? ''}`).toBe(!hidden)
    }
  }
})

describe.skipIf(!has('bash'))('bash', () => {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-completion-'))
  afterAll(() => rmSync(directory, { recursive: true }))
  mkdirSync(join(directory, 'folder'))
  writeFileSync(join(directory, 'file one.pem'), '')
  writeFileSync(join(directory, 'godwit'), '#!/bin/sh\n[ "$*" = "profile list --names" ] && printf "home\\nhive\\n"\n')
  chmodSync(join(directory, 'godwit'), 0o755)

  /** What bash offers for the last word of each line of words, once it has the script. */
  function offeredAll(lines: readonly (readonly string[])[]): string[][] {
    const asked = lines.flatMap((words) => [
      `COMP_WORDS=(godwit ${words.map((word) => `'${word}'`).join(' ')})`,
      `COMP_CWORD=${words.length}`,
      '_godwit',
      `for offer in "\${COMPREPLY[@]}"; do printf '%s\\n' "$offer"; done; echo --`
    ])
    const script = [completionScript('bash', godwit), ...asked].join('\n')
    const env = { PATH: `${directory}:${process.env['PATH'] ?? ''}` }
    const arguments_ = ['--norc', '--noprofile', '-c', script]
    const { stdout, stderr, status } = spawnSync('bash', arguments_, { cwd: directory, env, encoding: 'utf8' })
    expect([stderr, status]).toEqual(['', 0])
    const answers = stdout.split(/^--\n/m).map((answer) => answer.split('\n').slice(0, -1))
    expect(answers).toHaveLength(lines.length + 1)
    return answers.slice(0, -1)
  }

  const cases: readonly (readonly [words: readonly string[], offers: readonly string[]])[] = [
    [['p'], ['pub', 'profile']],
    [['sto'], ['store']],
    [
      ['store', ''],
      ['check', 'backup', 'restore', 'export', 'import']
    ],
    [['store', 'check', '--j'], ['--json']],
    [
      ['pub', '--will'],
      ['--will-topic', '--will-payload', '--will-qos', '--will-retain']
    ],
    [
      ['pub', '--pro'],
      ['--property', '--protocol-version', '--profile']
    ],
    [['pub', '--psk'], []],
    [
      ['pub', '-q', ''],
      ['0', '1', '2']
    ],
    [['pub', '--qos', '=', '1'], ['1']],
    [
      ['pub', '--qos', '='],
      ['0', '1', '2']
    ],
    [
      ['pub', 'topic', '-V', 'mqttv3'],
      ['mqttv311', 'mqttv31']
    ],
    [['pub', '-D', 'P'], ['PUBLISH']],
    [['pub', '-D', 'PUBLISH', 'user'], ['user-property']],
    [['pub', '-m', 'p'], []],
    [['pub', 'pub', 'serve', '--outb'], ['--outbox']],
    [
      ['sub', '--retain-handling', 'n'],
      ['new', 'never']
    ],
    [
      ['sub', '--cafile', 'f'],
      ['folder', 'file one.pem']
    ],
    [['sub', '--capath', 'f'], ['folder']],
    [
      ['request', '--profile', 'h'],
      ['home', 'hive']
    ],
    [['profile', 'show', 'ho'], ['home']],
    [
      ['profile', 'remove', ''],
      ['home', 'hive']
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish']
    ],
    [
      ['serve', '--log-format', ''],
      ['text', 'json']
    ],
    [['serve', '--data', 'f'], ['folder']],
    [['check-config', 'file'], ['file one.pem']],
    [['nonsense', ''], []],
    [['--ver'], ['--version']]
  ]
  test.each(cases)('godwit %j offers %j', (words, offers) => {
    const [offered = []] = offeredAll([words])
    expect(offered.toSorted()).toEqual([...offers].toSorted())
  })

  test('every flag that takes words offers them', () => {
    const given = models.flatMap(({ path, flags }) =>
      flags.flatMap(({ long = '', values: [value] }) =>
        value !== undefined && typeof value.offer !== 'string' && value.offer.length > 0
          ? [{ path, long, offer: value.offer }]
          : []
      )
    )
    expect(given.length).toBeGreaterThan(10)
    expect(offeredAll(given.map(({ path, long }) => [...path.split(' '), long, '']))).toEqual(given.map(({ offer }) => offer))
  })
})

test.each(['zsh', 'fish'] as const)('the script for %s is one, if the shell is there to say so', (shell) => {
  const script = completionScript(shell, godwit)
  for (const { flags } of models) for (const { long = '' } of flags) expect(script).toContain(long.slice(2))
  if (!has(shell)) return
  const { status, stderr } = spawnSync(shell, ['-n', '/dev/stdin'], { input: script, encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
})

test('a value is completed by its name', () => {
  expect([offerOf('file'), offerOf('dir'), offerOf('profile'), offerOf('text')]).toEqual(['files', 'folders', 'profiles', []])
})
