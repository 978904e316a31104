import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { OutboxProcess } from './testing/run-outbox-process.ts'
import { benchIn, temporaryFolder } from './testing/temporary-outbox.ts'

const KILLS = 4
const PER_COMMIT = 5

test(`given a process that is killed in the middle of commits, ${KILLS} times, then all that it was told of is there, and no commit in part`, async () => {
  const seed = Math.floor(Math.random() * 1_000)
  const path = temporaryFolder()
  for (let kill = 0; kill < KILLS; kill++) {
    const writer = new OutboxProcess([path, 1_000_000, PER_COMMIT, 700])
    for (let commits = 2 + ((seed + kill * 37) % 60); commits > 0; commits--) await writer.says('committed')
    await writer.kill()

    const bench = benchIn(path)
    const contents = await bench.open()
    const messages = await bench.readAll()
    const last = messages.at(-1)?.sequence ?? 0
    expect(last, `seed ${seed}, kill ${kill}`).toBeGreaterThanOrEqual(writer.committed)
    expect(messages.map(({ sequence }) => sequence)).toEqual(Array.from({ length: last }, (_, index) => index + 1))
    expect(contents).toMatchObject({ nextSequence: last + 1, messages: last, bytes: last * (700 + 1 + 64) })
    // Each commit held its messages and the identifier that stands at the last of them.
    expect(last % PER_COMMIT).toBe(0)
    expect(contents.receivedIdentifiers.at(-1)).toBe(last + 1)
    expect(contents.receivedIdentifiers.length).toBe(last / PER_COMMIT)
    await bench.close()
  }
})

test('given a process that exits while a commit is under way, then it ends, and the commit is there whole or not at all', async () => {
  const path = temporaryFolder()
  const writer = new OutboxProcess([path, 1, 200, 100_000, 'exits'])
  expect(await writer.ended()).toBe(3)
  const { messages } = await benchIn(path).open()
  expect([0, 200]).toContain(messages)
})

test('given a process that has it open, then another is refused in one line, until the first is killed', async () => {
  const path = temporaryFolder()
  const holder = new OutboxProcess([path, 0, 0, 0])
  await holder.says('open')
  await expect(benchIn(path).open()).rejects.toMatchObject({
    name: 'ClientError',
    code: 'outbox-failed',
    message: `${path} is in use: one client at a time can have its outbox there`
  })
  await holder.kill()
  expect((await benchIn(path).open()).messages).toBe(0)
})

test.skipIf(!works('strace', ['-V']))(
  'every commit is synced before it resolves, and so are a new file and its folder',
  async () => {
    const path = join(temporaryFolder(), 'new/outbox')
    const trace = join(temporaryFolder(), 'trace')
    const calls = 'trace=openat,pwrite64,pwritev,writev,fdatasync,fsync,msync,write,rename'
    const writer = new OutboxProcess([path, 20, 3, 100], ['strace', '-f', '-qq', '-y', '-e', calls, '-o', trace])
    await writer.says('done')
    await writer.end()

    const lines = readFileSync(trace, 'utf8').split('\n')
    const dataFile = join(path, 'data.mdb')
    const syncing = lines.find((line) => line.includes('openat(') && line.includes(`"${dataFile}"`) && line.includes('O_DSYNC'))
    const descriptor = syncing?.match(/ = (\d+)</)?.[1]
    expect(descriptor).toBeDefined()

    const isNewlyNamed = lines.findIndex((line) => line.includes('rename(') && line.includes(dataFile))
    const opened = lines.findIndex((line) => line.includes('write(1<') && line.includes('"open '))
    const beginning = lines.slice(0, opened)
    const made = [join(path, '../..'), join(path, '..')]
    expect(made.filter((folder) => beginning.some((line) => isSyncOf(line, folder)))).toEqual(made)
    expect(lines.slice(isNewlyNamed, opened).some((line) => isSyncOf(line, path))).toBe(true)

    // The pages; a sync of them; then, synced by itself, the page that refers to them; and only then the news.
    const steps = lines.slice(opened + 1).flatMap((line) => stepOf(line, dataFile, descriptor))
    const commits = steps.join(' ').split('told')
    expect(commits.length - 1).toBe(20)
    for (const commit of commits.slice(0, -1)) expect(commit.trim()).toMatch(/^(pages )+sync reference$/)
  }
)

test.skipIf(!works('prlimit', ['--version']))(
  'given no room, then commits fail, in one line, and change nothing; given room again, then all is stored',
  async () => {
    const path = temporaryFolder()
    const writer = new OutboxProcess([path, 100, 10, 8_000], ['prlimit', `--fsize=${4 * 1_024 * 1_024}:unlimited`])
    expect(await writer.says('failed')).toBe(`failed ClientError: ${path}: the file may not grow any further`)
    await writer.says('failed')
    const { committed } = writer
    expect(committed).toBeGreaterThan(100)
    expect(committed).toBeLessThan(500)

    execFileSync('prlimit', ['--pid', String(writer.pid), '--fsize=unlimited:unlimited'])
    await writer.says('done')
    await writer.end()
    expect(writer.said.findLast((line) => line.startsWith('failed'))).toContain('may not grow')

    const bench = benchIn(path)
    expect(await bench.open()).toMatchObject({ messages: 1_000, nextSequence: 1_001 })
    expect((await bench.readAll({ messages: 100 })).map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 1_000 }, (_, i) => i + 1)
    )
  }
)

test.skipIf(!works('prlimit', ['--version']))(
  'given no room, then messages can still be removed, and what they leave is used again',
  async () => {
    const path = temporaryFolder()
    const limit = 4 * 1_024 * 1_024
    const writer = new OutboxProcess([path, 200, 10, 8_000, 'removes'], ['prlimit', `--fsize=${limit}`])
    await writer.says('done')
    await writer.end()
    expect(writer.said.filter((line) => line === 'removed').length).toBeGreaterThan(3)
    expect(await benchIn(path).open()).toMatchObject({ nextSequence: 2_001 })
  }
)

function isSyncOf(line: string, folder: string): boolean {
  return line.includes(' fsync(') && line.includes(`<${folder}>`)
}

/** What a traced call did to the data file, or that it told of a commit. */
function stepOf(line: string, dataFile: string, syncing: string | undefined): string[] {
  if (line.includes('write(1<') && line.includes('"committed')) return ['told']
  const [, call, descriptor] = line.match(/ (\w+)\((\d+)</) ?? []
  if (!line.includes(`<${dataFile}>`)) return []
  if (call === 'fdatasync') return ['sync']
  return [descriptor === syncing ? 'reference' : 'pages']
}

function works(program: string, parameters: readonly string[]): boolean {
  return spawnSync(program, parameters).status === 0
}
