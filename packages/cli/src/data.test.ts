import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, connectAsync } from 'mqtt'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Godwit, runGodwit, workbench } from './godwit.test.support.ts'

const bench = workbench()
const anyPorts = ['--port', '0', '--http-port', '0'] as const
const data = join(bench.directory, 'godwit-data')
const file = join(data, 'data.mdb')

beforeEach(() => rmSync(data, { recursive: true, force: true }))

/** A message at QoS 1, which is acknowledged, for a client that has gone but whose session stays. */
async function leaveMessage(godwit: Godwit): Promise<void> {
  const url = godwit.url('mqtt')
  const subscriber = await connectAsync(url, { clientId: 'ringer', clean: false, reconnectPeriod: 0 })
  await subscriber.subscribeAsync('birds/#', { qos: 1 })
  await subscriber.endAsync()
  const publisher = await connectAsync(url, { reconnectPeriod: 0 })
  await publisher.publishAsync('birds/godwit', 'landed', { qos: 1, retain: true })
  await publisher.endAsync()
}

function takeMessage(godwit: Godwit): Promise<string> {
  const subscriber = connect(godwit.url('mqtt'), { clientId: 'ringer', clean: false, reconnectPeriod: 0 })
  bench.cleanup(() => subscriber.end(true))
  return new Promise((resolve) => {
    subscriber.once('message', (topicName, payload) => resolve(`${topicName}: ${payload.toString()}`))
  })
}

describe('without flags', () => {
  test('data is in ./godwit-data, for its owner alone, and there again after a restart', async () => {
    const first = await bench.serve(...anyPorts)
    expect(first.stdout).toContain(`  data            ${data}, which is new\n`)
    expect(statSync(data).mode & 0o777).toBe(0o700)
    await leaveMessage(first)
    expect(await first.stop()).toEqual([0, null])
    const second = await bench.serve(...anyPorts)
    expect(second.stdout).toContain(`  data            ${data}, with 1 session and 1 retained message\n`)
    expect(await takeMessage(second)).toBe('birds/godwit: landed')
    expect(await second.stop()).toEqual([0, null])
  })

  test('what was acknowledged is there after a kill', async () => {
    const first = await bench.serve(...anyPorts)
    await leaveMessage(first)
    expect(await first.stop('SIGKILL')).toEqual([null, 'SIGKILL'])
    const second = await bench.serve(...anyPorts)
    expect(await takeMessage(second)).toBe('birds/godwit: landed')
  })
})

test('--data: the folder is relative to the working directory, that of a file to the file', async () => {
  const godwit = await bench.serve(...anyPorts, '--data', 'elsewhere/kept')
  expect(godwit.stdout).toContain(`  data            ${join(bench.directory, 'elsewhere/kept')}, which is new\n`)
  await godwit.stop()
  mkdirSync(join(bench.directory, 'etc'))
  const configuration = bench.file('etc/godwit.yaml', 'data: ../kept')
  const other = await bench.serve('--config', configuration, ...anyPorts)
  expect(other.stdout).toContain(`  data            ${join(bench.directory, 'kept')}, which is new\n`)
})

test.skipIf(process.platform !== 'linux')('--memory makes no folder, and does not load LMDB', async () => {
  const mapped = (godwit: Godwit): boolean => readFileSync(`/proc/${godwit.child.pid}/maps`, 'utf8').includes('lmdb')
  const inMemory = await bench.serve(...anyPorts, '--memory')
  expect([mapped(inMemory), existsSync(data)]).toEqual([false, false])
  const onDisk = await bench.serve(...anyPorts)
  expect([mapped(onDisk), existsSync(data)]).toEqual([true, true])
})

describe('data that cannot be used', () => {
  const serve = (...flags: readonly string[]) => runGodwit(['serve', ...anyPorts, ...flags], { cwd: bench.directory })

  test('in use by another broker: status 1, in one line', async () => {
    await bench.serve(...anyPorts)
    const line = `godwit: ${data} is in use by another broker: only one at a time can store its data there\n`
    expect(await serve()).toEqual({ code: 1, stdout: '', stderr: line })
  })

  test('a file in the place of the folder: status 1, in one line', async () => {
    const path = bench.file('text', 'x')
    const line = `godwit: cannot use ${path}: it is not a directory\n`
    expect(await serve('--data', 'text')).toEqual({ code: 1, stdout: '', stderr: line })
  })

  test('damaged: status 3, with what is wrong and what can be done', async () => {
    await (await bench.serve(...anyPorts)).stop()
    writeFileSync(file, 'hello\n')
    const { code, stdout, stderr } = await serve()
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr.split('\n')).toEqual([
      `godwit: the store is damaged: ${file}: meta page 0 is not in the file, which is 6 bytes long`,
      `godwit: nothing in ${data} was changed, and starting again does not help; you can`,
      `godwit:   see what is wrong and what is left:    godwit store check ${data}`,
      `godwit:   put a backup in its place:             godwit store restore BACKUP ${data} --replace`,
      'godwit:   keep it aside and begin anew, without: godwit serve --set-aside-damaged (onDamagedData: set-aside)',
      ''
    ])
    expect(readFileSync(file, 'utf8')).toBe('hello\n')
  })

  test('damaged, with --set-aside-damaged: it is kept, and said in the notice, the log and /health', async () => {
    await (await bench.serve(...anyPorts)).stop()
    writeFileSync(file, 'hello\n')
    const godwit = await bench.serve(...anyPorts, '--set-aside-damaged')
    const name = readdirSync(data).find((each) => each.startsWith('damaged-')) ?? ''
    const aside = join(data, name)
    expect(readFileSync(join(aside, 'data.mdb'), 'utf8')).toBe('hello\n')
    expect(godwit.stdout).toContain(`  data            ${data}, begun anew: what was damaged is in ${aside}\n`)
    expect(godwit.stderr).toMatch(/ ERROR the data was damaged and has been set aside: .* folder=.*damaged-/)
    const ready = await fetch(`${godwit.url('http')}/ready`)
    expect([ready.status, await ready.json()]).toMatchObject([200, { status: 'degraded', alarms: [{ name: 'data-set-aside' }] }])
  })
})
