import { spawn, spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readProfiles } from '../connection/profiles.ts'
import { type Finished, Godwit, runGodwit, workbench } from '../godwit.test.support.ts'

const bench = workbench()
const file = join(bench.directory, 'godwit', 'profiles.json')
const environment = { XDG_CONFIG_HOME: bench.directory }
const godwit = (...args: readonly string[]): Promise<Finished> => runGodwit(args, { environment })
const done = (stdout: string): Finished => ({ code: 0, stdout, stderr: '' })

test('a profile is saved, listed, shown without its password, used, and removed', async () => {
  const server = await bench.serve('--memory', '--port', '0', '--http-port', '0')
  const port = `${server.port('mqtt')}`
  expect(await godwit('profile', 'list')).toEqual(done(''))
  expect(await godwit('profile', 'save', 'home', '-p', port, '-u', 'joe', '-P', 'secret')).toEqual(done(`${file}: saved home\n`))
  expect(await godwit('profile', 'save', 'cloud', '-L', 'mqtts://ann:secret@cloud.example')).toEqual(
    done(`${file}: saved cloud\n`)
  )
  expect(await godwit('profile', 'list')).toEqual(done(`home   localhost:${port}\ncloud  mqtts://ann:***@cloud.example\n`))
  expect(await godwit('profile', 'list', '--names')).toEqual(done('home\ncloud\n'))
  const shown = await godwit('profile', 'show', 'home')
  expect(JSON.parse(shown.stdout)).toEqual({ port, username: 'joe', pw: '***' })
  expect(await godwit('pub', '--profile', 'home', 'a', 'x')).toEqual(done(''))
  expect(await godwit('profile', 'save', 'home', '-h', 'elsewhere')).toEqual(done(`${file}: replaced home\n`))
  expect(await godwit('profile', 'remove', 'cloud')).toEqual(done(`${file}: removed cloud\n`))
  expect(await godwit('profile', 'list')).toEqual(done('home  elsewhere\n'))
})

test('what cannot be done is said', async () => {
  const refused = (line: string): Finished => ({ code: 2, stdout: '', stderr: `godwit: ${line}\n` })
  expect(await godwit('profile', 'show', 'none')).toEqual(refused(`there is no profile "none" in ${file}; there is home`))
  expect(await godwit('pub', '--profile', 'none', 'a', 'x')).toEqual(
    refused(`there is no profile "none" in ${file}; there is home`)
  )
  const line = 'the name of a profile is "a b"; accepted are up to 64 letters, digits and . _ @ -'
  expect(await godwit('profile', 'save', 'a b')).toEqual(refused(line))
  const asked = '--ask-password needs a terminal as standard input; --password-file does not'
  expect(await godwit('profile', 'save', 'x', '--ask-password')).toEqual(refused(asked))
})

test.skipIf(process.platform === 'win32')('a password that others may read is warned of', async () => {
  await godwit('profile', 'save', 'home', '-u', 'joe', '-P', 'secret')
  chmodSync(file, 0o644)
  const warning = `godwit: ${file} holds the password of home, and others may read it: chmod 600 ${file}\n`
  expect(await godwit('profile', 'list')).toEqual({ code: 0, stdout: 'home  localhost\n', stderr: warning })
})

test.skipIf(spawnSync('script', ['--version']).status !== 0)('a password that is asked for is not shown, and kept', async () => {
  const args = ['profile', 'save', 'asked', '--ask-password'].map((arg) => `'${arg}'`).join(' ')
  const command = `'${process.execPath}' --conditions=godwit-source '${join(import.meta.dirname, '../main.ts')}' ${args}`
  const terminal = new Godwit(spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, ...environment } }))
  await terminal.printed('stdout', /Password: /)
  terminal.child.stdin?.write('typed\r')
  expect(await terminal.exited).toEqual([0, null])
  expect(terminal.stdout).not.toContain('typed')
  expect(readProfiles(file).get('asked')).toEqual({ pw: 'typed' })
})
