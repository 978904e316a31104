import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '@godwit/broker'
import { connectAsync } from 'mqtt'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { configurationSchema } from './configuration-schema.ts'
import type { Configuration } from './configuration.ts'
import { DataError } from './data-error.ts'
import type { Server } from './server.ts'
import { startServer } from './start-server.ts'

let parent = ''
let data = ''
let file = ''

beforeEach(({ onTestFinished }) => {
  parent = mkdtempSync(join(tmpdir(), 'godwit-server-'))
  data = join(parent, 'data')
  file = join(data, 'data.mdb')
  // The last of what is done then: servers are closed before.
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }))
})

function configure(keys: object = {}): Configuration {
  return configurationSchema.parse({ listeners: [{ kind: 'tcp', port: 0 }], http: { port: 0 }, data, ...keys })
}

async function start(keys?: object, logger?: Logger): Promise<Server> {
  const server = await startServer(configure(keys), logger === undefined ? {} : { logger })
  onTestFinished(() => server.close())
  return server
}

/** Leaves a session and two retained messages in the folder. */
async function fill(): Promise<void> {
  const server = await start()
  const [address = ''] = server.urls
  const client = await connectAsync(address, { clientId: 'kept', clean: false, reconnectPeriod: 0 })
  await client.subscribeAsync('birds/#', { qos: 1 })
  for (const topicName of ['birds/godwit', 'birds/tern']) await client.publishAsync(topicName, 'x', { qos: 1, retain: true })
  await client.endAsync()
  await server.close()
}

async function refusal(keys?: object): Promise<DataError> {
  const error: unknown = await start(keys).catch((caught: unknown) => caught)
  if (error instanceof DataError) return error
  throw new Error('it was not refused', { cause: error })
}

async function health(server: Server, path: string): Promise<readonly [status: number, body: unknown]> {
  const response = await fetch(`${server.urls.at(-1)}${path}`)
  return [response.status, await response.json()]
}

describe('a folder for data', () => {
  test('given none, then it is made, for its owner alone, and said to be new', async () => {
    const { data: report } = await start()
    expect(report).toEqual({ folder: data, isNew: true, sessions: 0, retainedMessages: 0, setAside: undefined })
    expect(statSync(data).mode & 0o777).toBe(0o700)
  })

  test('given one that was used, then what it holds is there again, and said', async () => {
    await fill()
    const server = await start()
    expect(server.data).toEqual({ folder: data, isNew: false, sessions: 1, retainedMessages: 2, setAside: undefined })
    const [address = ''] = server.urls
    const client = await connectAsync(address, { clientId: 'kept', clean: false, reconnectPeriod: 0 })
    expect(client.connected).toBe(true)
    expect(server.broker.counts).toMatchObject({ sessions: 1, subscriptions: 1, retainedMessages: 2 })
    await client.endAsync()
  })

  test('given that all is to be in memory, then no folder is made', async () => {
    const server = await start({ data: undefined, memory: true })
    expect(server.data.folder).toBeUndefined()
    expect(existsSync(data)).toBe(false)
  })

  test('given a port in use, then the folder is let go of', async () => {
    const { listeners } = configure()
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    onTestFinished(() => void other.close())
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await expect(start({ listeners: [...listeners, { kind: 'tcp', port }] })).rejects.toThrow('in use by another program')
    await start()
  })
})

test('HTTP answers while the store is opened: alive, and not ready', async () => {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const address = probe.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await new Promise((resolve) => probe.close(resolve))
  const starting = start({ http: { port } })
  const answers = new Set<string>()
  for (let isOver = false; !isOver;) {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined)
    if (response !== undefined) answers.add(`${response.status} ${await response.text()}`)
    isOver = response?.status === 200
  }
  await starting
  expect([...answers]).toEqual(['503 {"status":"starting"}', '200 {"status":"ok"}'])
})

describe('a folder that is no good', () => {
  test('in use by another broker: one line, which names it', async () => {
    await start()
    const { code, lines } = await refusal()
    expect([code, lines]).toEqual([
      'in-use',
      [`${data} is in use by another broker: only one at a time can store its data there`]
    ])
  })

  test('a file: one line, which says so', async () => {
    writeFileSync(data, 'x')
    const { code, lines } = await refusal()
    expect([code, lines]).toEqual(['failed', [`cannot use ${data}: it is not a directory`]])
  })

  test.skipIf(process.getuid?.() === 0)('one that may not be written to', async () => {
    mkdirSync(data)
    chmodSync(data, 0o500)
    const { code, lines } = await refusal()
    expect([code, lines]).toEqual(['failed', [`cannot use ${data}: permission denied`]])
  })
})

describe('data that is damaged', () => {
  const damages: readonly (readonly [what: string, damage: () => void])[] = [
    ['cut short', () => truncateSync(file, 3 * 4096)],
    ['cut to nothing', () => truncateSync(file, 0)],
    ['scribbled over', () => writeFileSync(file, randomBytes(statSync(file).size))],
    ['scribbled over where it begins', () => writeFileSync(file, Buffer.alloc(8192), { flag: 'r+' })],
    ['a text', () => writeFileSync(file, 'hello\n')],
    [
      'a directory',
      () => {
        rmSync(file)
        mkdirSync(file)
      }
    ]
  ]
  const lines = (): readonly unknown[] => [
    expect.stringMatching(/^the store is damaged: .*data\.mdb/),
    `nothing in ${data} was changed, and starting again does not help; you can`,
    expect.stringContaining(`godwit store check ${data}`),
    expect.stringContaining(`godwit store restore BACKUP ${data} --replace`),
    expect.stringContaining('godwit serve --set-aside-damaged')
  ]
  const contentOf = (path: string) => (statSync(path).isFile() ? readFileSync(path) : 'a directory')

  test.each(damages)('%s: the broker does not start, changes nothing, and says what can be done', async (_, damage) => {
    await fill()
    damage()
    const before = contentOf(file)
    for (let count = 0; count < 2; count++) {
      const refused = await refusal()
      expect([refused.code, refused.lines]).toEqual(['damaged', lines()])
    }
    expect(contentOf(file)).toEqual(before)
  })

  test.each(damages)('%s: set aside if that is configured, with an error in the log and an alarm', async (_, damage) => {
    await fill()
    damage()
    const before = contentOf(file)
    const errors: string[] = []
    const logger = { debug() {}, info() {}, warn() {}, error: (_fields: object, text: string) => void errors.push(text) }
    const server = await start({ onDamagedData: 'set-aside' }, logger)
    const name = readdirSync(data).find((each) => each.startsWith('damaged-')) ?? ''
    const aside = join(data, name)
    expect(contentOf(join(aside, 'data.mdb'))).toEqual(before)
    expect(server.data).toMatchObject({ isNew: true, sessions: 0, setAside: { folder: aside } })
    expect(errors).toEqual(['the data was damaged and has been set aside: this broker begins with an empty store'])
    const alarm: unknown = expect.objectContaining({ name: 'data-set-aside' })
    expect(await health(server, '/ready')).toEqual([200, { status: 'degraded', alarms: [alarm] }])
    expect(server.health.alarms.map(({ reason }) => reason)).toEqual([`${server.data.setAside?.reason}; it is in ${aside} now`])
    await server.close()
    const again = await start({ onDamagedData: 'set-aside' })
    expect(again.data).toMatchObject({ isNew: false, setAside: undefined })
    expect(await health(again, '/ready')).toEqual([200, { status: 'ok' }])
  })
})

describe('the alarm of a store that fails', () => {
  test('is raised and cleared as the broker tells', async () => {
    const server = await start()
    const { events } = server.broker
    events.emit('storeFailing', new Error('cannot write: no room'))
    events.emit('storeFailed', new Error('cannot write: no room'))
    expect(server.health).toMatchObject({
      status: 'degraded',
      alarms: [{ name: 'store-failing', reason: 'cannot write: no room' }]
    })
    events.emit('storeRecovered')
    expect(server.health).toMatchObject({ status: 'ok', alarms: [] })
  })

  test('a page that could not be read because of damage stays until the restart', async () => {
    const server = await start()
    const { events } = server.broker
    events.emit('storeFailed', Object.assign(new Error('the store is damaged: message 7'), { code: 'damaged' }))
    events.emit('storeRecovered')
    expect(server.health.alarms).toMatchObject([{ name: 'data-damaged', reason: 'the store is damaged: message 7' }])
  })
})
