import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { StoreProcess } from './testing/run-store-process.ts'
import { benchIn, temporaryFolder } from './testing/temporary-store.ts'

const KILLS = 6

test(`given a process that is killed in the middle of commits, ${KILLS} times, then all that it acknowledged is there, and no commit in part`, async () => {
  const seed = Math.floor(Math.random() * 1_000)
  const path = temporaryFolder()
  let held = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const writer = new StoreProcess([path, 1_000_000, 500])
    onTestFinished(() => writer.kill())
    for (let commits = 2 + ((seed + kill * 37) % 60); commits > 0; commits--) await writer.says('committed')
    await writer.kill()

    const bench = benchIn(path)
    const { store, contents, readAll } = await openedFor(bench)
    const queue = store.openQueue('#')
    const entries = await readAll(queue)
    const last = entries.at(-1)?.sequence ?? 0
    expect(last, `seed ${seed}, kill ${kill}`).toBeGreaterThanOrEqual(writer.acknowledged)
    expect(writer.acknowledged).toBeGreaterThan(0)
    // Each commit held the messages and the cursor that stands at the last of them.
    expect(contents.sessions.map((stored) => stored.progress.cursor)).toEqual([last])
    expect(entries.length).toBeGreaterThan(held)
    expect(entries.every(({ message }) => message.payload.length === 500)).toBe(true)
    expect(store.backlog({ queue, after: 0 })).toEqual({ messages: entries.length, bytes: entries.length * 501 })
    held = entries.length
    await bench.close()
  }
})

test('given a process that exits while a commit is in flight, then it ends, and the commit is there whole or not at all', async () => {
  const path = temporaryFolder()
  const writer = new StoreProcess([path, 200, 100_000, 'exits'])
  onTestFinished(() => writer.kill())
  expect(await writer.status()).toBe(3)
  const { store, readAll } = await openedFor(benchIn(path))
  expect([0, 200]).toContain((await readAll(store.openQueue('#'))).length)
})

test.skipIf(!works('strace', ['-V']))(
  'every commit is synced to the journal before it is told, and no merge refers to what is not synced',
  async () => {
    const path = temporaryFolder()
    const trace = join(temporaryFolder(), 'trace')
    const calls = 'trace=openat,pwrite64,pwritev,writev,fdatasync,fsync,msync,write'
    const writer = new StoreProcess([path, 3_000, 100], ['strace', '-f', '-qq', '-y', '-e', calls, '-o', trace])
    onTestFinished(() => writer.kill())
    await writer.says('done')
    await writer.end()

    const lines = readFileSync(trace, 'utf8').split('\n')
    const dataFile = join(path, 'data.mdb')
    const syncing = openedAs(lines, (line) => line.includes(`"${dataFile}"`) && line.includes('O_DSYNC'))
    expect(syncing).toBeDefined()
    const steps = lines.slice(lines.findIndex((line) => line.includes('"open\\n"')))

    // A record; a sync of it; and only then the news.
    const commits = steps
      .flatMap((line) => journalStepOf(line, join(path, 'journal-')))
      .join(' ')
      .split('told')
    expect(commits.length - 1).toBe(writer.said.filter((line) => line.startsWith('committed')).length)
    for (const commit of commits.slice(0, -1)) expect(commit.trim()).toBe('record sync')
    // The pages; a sync of them; then, synced by itself, the page that refers to them.
    const merges = steps.flatMap((line) => tableStepOf(line, dataFile, syncing)).join(' ')
    expect(merges).toMatch(/^((pages )+sync reference ?)+$/)
  }
)

test.skipIf(!works('prlimit', ['--version']))(
  'given no room, then commits fail and nothing is acknowledged; given room again, then all is made durable',
  async () => {
    const path = temporaryFolder()
    const limited = ['prlimit', `--fsize=${4 * 1_024 * 1_024}:unlimited`]
    const writer = new StoreProcess([path, 1_500, 8_000], limited)
    onTestFinished(() => writer.kill())
    await writer.says('failed')
    await writer.says('failed')
    const acknowledged = writer.acknowledged
    expect(acknowledged).toBeLessThan(1_000)
    const failed = writer.said.filter((line) => line.startsWith('failed')).map((line) => Number(line.split(' ')[1]))
    expect(failed[1]).toBe((failed[0] ?? 0) + 1)

    execFileSync('prlimit', ['--pid', String(writer.pid), '--fsize=unlimited:unlimited'])
    await writer.says('done')
    await writer.end()
    const firstFailure = writer.said.findIndex((line) => line.startsWith('failed'))
    const next = writer.said.findIndex((line, index) => index > firstFailure && line.startsWith('committed'))
    expect(writer.said.slice(firstFailure, next).every((line) => line.startsWith('failed'))).toBe(true)

    const { store, readAll } = await openedFor(benchIn(path))
    const entries = await readAll(store.openQueue('#'))
    expect(entries.length).toBe(1_500)
    expect(store.storedBytes).toBe(1_500 * 8_001)
  }
)

test.skipIf(!works('prlimit', ['--version']))(
  'given little room, then the store says so in time for its caller to make room, and no commit fails',
  async () => {
    const path = temporaryFolder()
    const writer = new StoreProcess([path, 3_000, 8_000, 'cuts'], ['prlimit', `--fsize=${10 * 1_024 * 1_024}`])
    onTestFinished(() => writer.kill())
    await writer.says('done')
    await writer.end()
    expect(writer.said).toContain('cuts')
    expect(writer.said.filter((line) => line.startsWith('failed'))).toEqual([])
    const { store } = await openedFor(benchIn(path))
    expect(store.lastSequence).toBe(3_000)
  }
)

test.skipIf(!works('prlimit', ['--version']))(
  'given little room, and a caller that therefore changes nothing, then the store sees by itself when there is room again',
  async () => {
    const path = temporaryFolder()
    const writer = new StoreProcess([path, 3_000, 8_000, 'waits'], ['prlimit', `--fsize=${10 * 1_024 * 1_024}:unlimited`])
    onTestFinished(() => writer.kill())
    await writer.says('waits')
    execFileSync('prlimit', ['--pid', String(writer.pid), '--fsize=unlimited:unlimited'])
    await writer.says('done')
    await writer.end()
    expect(writer.said.filter((line) => line.startsWith('failed'))).toEqual([])
    const { store } = await openedFor(benchIn(path))
    expect(store.lastSequence).toBe(3_000)
  }
)

async function openedFor(bench: ReturnType<typeof benchIn>) {
  const opened = await bench.open()
  const readAll = (queue: number) => opened.readAll([{ queue, after: 0 }], 1_000)
  return { store: opened.store, contents: opened.contents, readAll }
}

/** What a traced call did to the journal, or that it told of a commit. */
function journalStepOf(line: string, journal: string): string[] {
  if (line.includes('write(1<') && line.includes('"committed')) return ['told']
  if (!line.includes(`<${journal}`) || line.includes('openat(')) return []
  return [line.includes(' fdatasync(') ? 'sync' : 'record']
}

/** The descriptor that a traced call opened; where calls of two threads overlap, that is in a later line of its own. */
function openedAs(lines: readonly string[], isOpening: (line: string) => boolean): string | undefined {
  const at = lines.findIndex((line) => line.includes('openat(') && isOpening(line))
  const thread = lines[at]?.split(' ')[0] ?? ''
  const end = lines.slice(at).find((line) => line.startsWith(`${thread} `) && / = \d+</.test(line))
  return end?.match(/ = (\d+)</)?.[1]
}

/** What a traced call did to the data file. */
function tableStepOf(line: string, dataFile: string, syncing: string | undefined): string[] {
  const [, call, descriptor] = line.match(/ (\w+)\((\d+)</) ?? []
  if (!line.includes(`<${dataFile}>`)) return []
  if (call === 'fdatasync') return ['sync']
  return [descriptor === syncing ? 'reference' : 'pages']
}

function works(program: string, parameters: readonly string[]): boolean {
  return spawnSync(program, parameters).status === 0
}
