import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, connectAsync } from 'mqtt'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Finished, Godwit, runGodwit, spawnGodwit, workbench } from './godwit.test.support.ts'

const bench = workbench()
const PAGE = 4_096
const anyPorts = ['--port', '0', '--http-port', '0'] as const

let cwd = ''
let tests = 0
beforeEach(() => {
  cwd = join(bench.directory, `${++tests}`)
  mkdirSync(cwd)
})

const godwit = (...args: readonly string[]): Promise<Finished> => runGodwit(['store', ...args], { cwd })

const held = '1 session, 2 messages, 1 retained message'

/** A broker with a session that is away, for which two messages wait, and a retained message. */
async function serveWithMessages(name = 'data'): Promise<Godwit> {
  const server = await bench.serve('--data', join(cwd, name), ...anyPorts)
  const away = await connectAsync(server.url('mqtt'), { clientId: 'tern', clean: false, reconnectPeriod: 0 })
  await away.subscribeAsync('bird/+', { qos: 1 })
  await away.endAsync()
  const publisher = await connectAsync(server.url('mqtt'), { reconnectPeriod: 0 })
  await publisher.publishAsync('bird/1', 'ü', { qos: 1 })
  await publisher.publishAsync('bird/2', Buffer.of(0xff), { qos: 1, retain: true })
  await publisher.endAsync()
  return server
}

/** What waits for the session. */
async function waitingFor(server: Godwit): Promise<string[]> {
  const client = connect(server.url('mqtt'), { clientId: 'tern', clean: false, reconnectPeriod: 0 })
  const topics: string[] = []
  await new Promise<void>((resolve) => {
    client.on('message', (topic) => {
      topics.push(topic)
      if (topics.length === 2) resolve()
    })
  })
  await client.endAsync()
  return topics
}

describe('a store that a broker runs on', () => {
  test('is checked, backed up and exported; what was restored and imported is delivered', async () => {
    const server = await serveWithMessages()
    const checked = await godwit('check', 'data')
    expect(checked.stderr).toBe('')
    expect(checked.stdout).toMatch(
      new RegExp(
        [
          '^data: format \\d+',
          '  sessions  1, with 1 subscription, 0 shared groups',
          '  queues    1',
          '  messages  2, 15 bytes',
          '  retained  1, 7 bytes',
          '  wills     0',
          '  file      [\\d.]+ [kM]B, [\\d.]+ \\w+ of them free to be used again; [\\d.]+ \\w+ free on the file system',
          'sound: nothing was found that does not hold\n$'
        ].join('\n')
      )
    )
    expect(checked.code).toBe(0)
    const json: unknown = JSON.parse((await godwit('check', 'data', '--json')).stdout)
    expect(json).toMatchObject({ sound: true, findingsCount: 0, findings: [], summary: { sessions: 1, messages: 2 } })

    const backup = await godwit('backup', 'data', 'copy')
    expect(backup).toMatchObject({ code: 0, stderr: '' })
    expect(backup.stdout).toMatch(new RegExp(`^copy: a backup of data, [\\d.]+ kB, verified, with ${held}\n$`))
    const exported = await godwit('export', 'data')
    expect(exported).toMatchObject({ code: 0, stderr: '' })
    expect(exported.stdout).toMatch(/"payload":"ü".*\n.*"payloadBase64":"\/w=="/)
    expect(await godwit('export', 'data', '--output', 'lines')).toEqual({ code: 0, stdout: '', stderr: '' })
    await server.stop()

    expect(await godwit('restore', 'copy', 'restored')).toMatchObject({
      code: 0,
      stdout: `restored: restored from copy, verified, with ${held}\n`
    })
    expect(await godwit('import', 'lines', 'imported')).toEqual({
      code: 0,
      stdout: `imported: imported from lines, ${held}\n`,
      stderr: ''
    })
    const piped = await runGodwit(['store', 'import', '-', 'piped'], { cwd, input: exported.stdout })
    expect(piped).toEqual({ code: 0, stdout: `piped: imported from standard input, ${held}\n`, stderr: '' })
    for (const name of ['restored', 'imported', 'piped']) {
      const other = await bench.serve('--data', join(cwd, name), ...anyPorts)
      expect(await waitingFor(other)).toEqual(['bird/1', 'bird/2'])
      await other.stop()
    }
  }, 60_000)

  test('is not replaced; one that no broker runs on is, and set aside', async () => {
    const server = await serveWithMessages()
    await godwit('backup', 'data', 'copy')
    const inUse = { code: 1, stdout: '', stderr: expectedLine('data is in use by another broker: only one at a time') }
    expect(await godwit('restore', 'copy', 'data', '--replace')).toMatchObject(inUse)
    await server.stop()
    const { code, stdout } = await godwit('restore', 'copy', 'data', '--replace')
    expect(code).toBe(0)
    const [, aside = ''] = /^data: restored .*\n(.*): what was there before\n$/.exec(stdout) ?? []
    expect(aside).toMatch(/^data\/replaced-/)
    expect(await godwit('check', aside)).toMatchObject({ code: 0 })
  })

  test('is backed up by one process after another while it is published to', async () => {
    const server = await serveWithMessages()
    const publisher = await connectAsync(server.url('mqtt'), { reconnectPeriod: 0 })
    const end = new AbortController()
    const publish = async (): Promise<number> => {
      let count = 2
      for (; !end.signal.aborted; count++) await publisher.publishAsync('bird/3', 'x', { qos: 1 })
      return count
    }
    const published = publish()
    for (const name of ['first', 'second', 'third']) {
      expect(await godwit('backup', 'data', name)).toMatchObject({ code: 0, stderr: '' })
    }
    end.abort()
    const count = await published
    await publisher.endAsync()
    await server.stop('SIGKILL')
    const json: unknown = JSON.parse((await godwit('check', 'data', '--json')).stdout)
    expect(json).toMatchObject({ sound: true, summary: { messages: count } })
  }, 60_000)
})

describe('a store that is damaged', () => {
  beforeEach(async () => {
    await (await serveWithMessages()).stop()
    const file = join(cwd, 'data/data.mdb')
    const bytes = readFileSync(file)
    // The log, wherever it was and is; the rest can be read.
    for (let at = bytes.indexOf('bird/1'); at !== -1; at = bytes.indexOf('bird/1')) {
      const page = at - (at % PAGE)
      bytes.fill(0xa5, page, page + PAGE)
    }
    writeFileSync(file, bytes)
  })

  test('is found to be, and not copied or exported, but for what can be read', async () => {
    const checked = await godwit('check', 'data')
    expect(checked).toMatchObject({ code: 1, stderr: '' })
    expect(checked.stdout).toMatch(/holds something else\ndata is damaged and was not read on; 1 finding, above\n$/)
    expect(JSON.parse((await godwit('check', 'data', '--json')).stdout)).toMatchObject({ sound: false, summary: null })
    expect(await godwit('backup', 'data', 'copy')).toMatchObject({ code: 3, stdout: '' })
    expect(existsSync(join(cwd, 'copy'))).toBe(false)
    expect(await godwit('export', 'data')).toMatchObject({ code: 3, stdout: '' })
    expect(await godwit('export', 'data', '--output', 'lines')).toMatchObject({ code: 3, stdout: '' })
    expect(existsSync(join(cwd, 'lines'))).toBe(false)
    const salvaged = await godwit('export', 'data', '--salvage', '--output', 'lines')
    expect(salvaged).toMatchObject({ code: 1, stdout: '' })
    expect(salvaged.stderr).toMatch(/^godwit: lost: .*holds something else\n/)
    expect(await godwit('import', 'lines', 'rescued')).toMatchObject({ code: 0 })
  }, 60_000)
})

describe('an import that is interrupted', () => {
  test('leaves nothing', async () => {
    // Its input does not end.
    const importing = new Godwit(spawnGodwit(['store', 'import', '-', 'data'], cwd))
    importing.child.stdin?.write('{"kind":"godwit-export","version":1,"exportedAt":""}\n')
    await expect.poll(() => existsSync(join(cwd, 'data/incoming/data.mdb')), { timeout: 20_000 }).toBe(true)
    expect(await importing.stop('SIGINT')).toEqual([1, null])
    expect(importing.stderr).toBe('godwit: interrupted: nothing was imported\n')
    expect(readdirSync(cwd)).toEqual([])
  })
})

describe('a mistake: status 2, in one line', () => {
  const cases: readonly (readonly [args: readonly string[], line: string])[] = [
    [['chek'], "unknown command 'chek'; did you mean check?"],
    [['check'], "missing required argument 'dir'"],
    [['check', 'none'], 'none holds no store; accepted is a folder with a file data.mdb'],
    [['check', 'none', '--jsn'], "unknown option '--jsn'; did you mean --json?"],
    [['backup', 'none', 'copy'], 'none holds no store; accepted is a folder with a file data.mdb'],
    [['backup', 'none', '.'], '. exists; accepted is a path where there is nothing yet'],
    // Each has a folder of its own: they run side by side.
    [['restore', 'none', 'restored'], 'none holds no store; accepted is a folder with a file data.mdb'],
    [['export', 'none'], 'none holds no store; accepted is a folder with a file data.mdb'],
    [['export', 'none', '--output', '/'], '/ exists; accepted is the path of a file that does not, or -'],
    [['import', '-'], "missing required argument 'dir'"],
    [['import', '-', 'imported'], 'standard input:1: the export ends without its last line, {"kind":"end"}: it is not whole'],
    [['import', 'none', 'empty'], "cannot read none: ENOENT: no such file or directory, open 'none'"]
  ]
  test.concurrent.each(cases)('%j', async (args, line) => {
    expect(await runGodwit(['store', ...args], { cwd: bench.directory })).toEqual({
      code: 2,
      stdout: '',
      stderr: `godwit: ${line}\n`
    })
  })

  test('no verb: what is accepted', async () => {
    const { code, stdout, stderr } = await godwit()
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^Usage: godwit store .*check.*backup.*restore.*export.*import/s)
  })
})

function expectedLine(beginning: string): unknown {
  return expect.stringMatching(new RegExp(`^godwit: ${beginning}.*\n$`))
}
