import { type Broker, createBroker } from '@godwit/broker'
import { seededRandom } from '@godwit/testkit'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { scramServer } from './scram-server.test.support.ts'
import { BreakableLink } from './testing/breakable-link.ts'
import { findChromium, launchBrowser, type TestBrowser, type TestPage } from './testing/browser-page.ts'
import type { ClientPage, PageOptions } from './testing/client-page.ts'
import { connected, reading } from './testing/reading.ts'

const PAGE = `
  import { indexedDbOutbox } from './src/indexed-db-outbox.ts'
  import { clientPage } from './src/testing/client-page.ts'
  globalThis.page = clientPage(indexedDbOutbox)`

const RECONNECT = { minimumDelayMs: 10, maximumDelayMs: 50 }

const chromium = findChromium()

describe.skipIf(chromium === undefined)('a client in a browser (needs chromium)', () => {
  let browser: TestBrowser<ClientPage>

  beforeAll(async () => {
    browser = await launchBrowser<ClientPage>(chromium ?? '', PAGE)
  })

  afterAll(() => browser.close())

  /** A broker, a link to its WebSocket listener, and a page. */
  async function world(broker?: Broker): Promise<World> {
    const server = broker ?? (await createBroker())
    onTestFinished(() => server.close())
    const webSocket = await server.listen({ kind: 'websocket', port: 0 })
    const tcp = await server.listen({ kind: 'tcp', port: 0 })
    const link = await BreakableLink.to(webSocket.port)
    onTestFinished(() => link.close())
    const page = await browser.open()
    onTestFinished(async () => {
      expect(page.errors).toEqual([])
      await page.page.context().close()
    })
    return { url: `ws://127.0.0.1:${link.port}/mqtt`, tcpUrl: tcp.url, link, page }
  }

  test('publishes and subscribes at every QoS, and more than the browser takes at a time', async () => {
    const { page, url } = await world()
    await page.call('open', url, { clientId: 'page' })
    await page.call('subscribe', 'form/#', 2)
    for (const qos of [0, 1, 2] as const) await page.call('publish', 'form/7', [`at ${qos}`], qos)
    expect(await page.call('received', 3)).toEqual(['at 0', 'at 1', 'at 2'])
    const large = Array.from({ length: 64 }, (_, index) => `${index} `.padEnd(100_000, '.'))
    await page.call('publish', 'form/large', large, 1)
    expect((await page.call('received', 3 + large.length)).slice(3)).toEqual(large)
    await page.call('close')
  })

  test('authenticates with SCRAM', async () => {
    const { page, url } = await world(await createBroker(scramServer({ pump: 'correct horse' })))
    await page.call('open', url, { clientId: 'page', scram: { userName: 'pump', password: 'correct horse' } })
    await page.call('untilState', 'connected')
    await page.call('close')
  })

  test('what was published offline waits for the network', async () => {
    const { page, url, tcpUrl } = await world()
    const messages = await reading(tcpUrl, 'form/#')
    await page.page.context().setOffline(true)
    await page.call('open', url, durable('offline'))
    await page.call('untilState', 'waiting')
    await page.call('publish', 'form/7', ['one', 'two', 'three'], 1)
    expect(await page.call('waiting')).toBe(3)
    await page.page.context().setOffline(false)
    await page.call('drained')
    expect(await messages(3)).toEqual(['one', 'two', 'three'])
    expect(await page.call('waiting')).toBe(0)
    await page.call('close')
  })

  test.each([1, 2, 3, 4])(
    'what was accepted arrives, in order and at QoS 2 exactly once, whatever breaks and however often it is reloaded (seed %d)',
    async (seed) => {
      const random = seededRandom(seed)
      const { page, url, link, tcpUrl } = await world()
      const messages = await reading(tcpUrl, 'form/#')
      const published: string[] = []
      for (let round = 0; round < 5; round++) {
        await page.call('open', url, durable(`seed ${seed}`))
        await page.call('untilState', 'connected')
        const next = Array.from({ length: 30 }, (_, index) => `${seed}.${round}.${index}`)
        link.breaksAfter(Math.floor(random() * 2_000))
        await page.call('publish', 'form/7', next.slice(0, 20), 2)
        link.breaks()
        await page.call('publish', 'form/7', next.slice(20), 2)
        published.push(...next)
        await page.reload()
        link.isMended()
      }
      await page.call('open', url, durable(`seed ${seed}`))
      await page.call('drained')
      expect(await messages(published.length)).toEqual(published)
      await page.call('close')
    }
  )

  test('what came while it was reloaded is received when it is back, once', async () => {
    const { page, url, tcpUrl } = await world()
    const writer = await connected(tcpUrl)
    await page.call('open', url, durable('receiving'))
    await page.call('subscribe', 'form/#', 2)
    await Promise.all(['1', '2', '3'].map((text) => writer.publish('form/7', text, { qos: 2 })))
    expect(await page.call('received', 3)).toEqual(['1', '2', '3'])
    // Stored with it at the latest: that these were received.
    await page.call('publish', 'done', ['3'], 1)
    await page.reload()
    await Promise.all(['4', '5', '6'].map((text) => writer.publish('form/7', text, { qos: 2 })))
    await page.call('open', url, durable('receiving'))
    await page.call('subscribe', 'form/#', 2)
    await writer.publish('form/7', '7', { qos: 2 })
    expect(await page.call('received', 4)).toEqual(['4', '5', '6', '7'])
    await page.call('close')
  })

  test('two tabs cannot have one outbox, but one after the other can', async () => {
    const { page, url } = await world()
    const second = await browser.open(page.page.context())
    await page.call('open', url, durable('shared'))
    await expect(second.call('open', url, durable('shared'))).rejects.toThrow('in use by another tab')
    await page.call('publish', 'form/7', ['one'], 1)
    await page.page.close()
    await second.call('open', url, durable('shared'))
    await second.call('drained')
    await second.call('close')
  })
})

interface World {
  /** Of the WebSocket listener, over the link. */
  readonly url: string
  readonly tcpUrl: string
  readonly link: BreakableLink
  readonly page: TestPage<ClientPage>
}

function durable(outboxName: string): PageOptions {
  return { outboxName, reconnect: RECONNECT }
}
