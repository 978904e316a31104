import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { indexedDbOutbox } from './indexed-db-outbox.ts'
import { OUTBOX_CHECKS } from './outbox-suite/checks.ts'
import { findChromium, launchBrowser, openPage, type TestBrowser, type TestPage } from './testing/browser-page.ts'
import { KillableChromium } from './testing/killable-chromium.ts'
import type { OutboxPage } from './testing/outbox-page.ts'

const ENTRY = `import { outboxPage } from './src/testing/outbox-page.ts'; globalThis.page = outboxPage()`

const chromium = findChromium()

test('given no browser, then it says what it needs', async () => {
  await expect(indexedDbOutbox().open()).rejects.toMatchObject({
    name: 'ClientError',
    code: 'outbox-failed',
    message:
      'the outbox godwit-outbox-default: it needs IndexedDB and Web Locks, which a page has that came by HTTPS or from localhost'
  })
})

describe.skipIf(chromium === undefined)(
  `indexedDbOutbox, in Chromium${chromium === undefined ? ', which is not installed' : ''}`,
  () => {
    let launched: TestBrowser<OutboxPage> | undefined
    let shared: TestPage<OutboxPage> | undefined

    beforeAll(async () => {
      launched = await launchBrowser<OutboxPage>(chromium ?? '', ENTRY)
      shared = await launched.open()
    })
    afterAll(async () => launched?.close())

    describe.each(Object.entries(OUTBOX_CHECKS))('%s', (group, checks) => {
      test.each(checks.map(({ name }) => name))('%s', async (name) => {
        await page().call('runCheck', group, name)
      })
    })

    const seed = Math.floor(Math.random() * 0x7f_ff_ff_ff)

    test(`random histories agree with the model (seed ${seed})`, async () => {
      await page().call('runHistories', seed, 20)
      expect(page().errors).toEqual([])
    })

    test('given a page that is reloaded while it commits, then what was stored is there, and can be opened at once', async () => {
      const stored: number[] = []
      const tab = await newPage()
      await tab.page.exposeFunction('tellStored', (sequence: number) => stored.push(sequence))
      for (let load = 0; load < 3; load++) {
        const { nextSequence, messages } = await tab.call('open', 'reloaded')
        expect(nextSequence).toBeGreaterThan(stored.at(-1) ?? 0)
        expect(messages).toBe(nextSequence - 1)
        const before = stored.length
        void tab.call('putForever', nextSequence).catch(() => undefined)
        await expect.poll(() => stored.length).toBeGreaterThan(before + 10)
        await tab.reload()
      }
    })

    test('given two tabs, then the second is refused in one line, until the first has closed it or is closed', async () => {
      const context = await newContext()
      const [first, second] = [await newPage(context), await newPage(context)]
      const refused = `the outbox godwit-outbox-shared is in use by another tab or client`
      await first.call('open', 'shared')
      await expect(second.call('open', 'shared')).rejects.toThrow(refused)
      await first.call('close')
      await second.call('open', 'shared')
      await expect(first.call('open', 'shared')).rejects.toThrow(refused)
      await second.page.close()
      await first.call('open', 'shared')
    })

    test('given that the room which the browser grants is used up, then a commit fails and changes nothing; given room, it works again', async () => {
      const tab = await newPage()
      const devtools = await tab.page.context().newCDPSession(tab.page)
      const origin = new URL(tab.page.url()).origin
      await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 2_000_000 })
      await tab.call('open', 'full')
      await tab.call('put', 1, 10, 1_000)
      const failure = 'the outbox godwit-outbox-full: the room that the browser grants is used up'
      await expect(tab.call('put', 11, 10, 300_000)).rejects.toThrow(failure)
      await expect(tab.call('put', 11, 10, 300_000)).rejects.toThrow(failure)
      expect(await tab.call('read')).toEqual(numbers(1, 10))
      await devtools.send('Storage.overrideQuotaForOrigin', { origin })
      await tab.call('put', 11, 10, 300_000)
      expect(await tab.call('open', 'full')).toMatchObject({ messages: 20 })
      expect(await tab.call('read')).toEqual(numbers(1, 20))
    })

    test('given a database that a later version of the page takes over, then commits fail in one line that says so', async () => {
      const tab = await newPage()
      await tab.call('open', 'later')
      await tab.call('put', 1, 1, 10)
      await tab.page.evaluate(inBrowser(`indexedDB.open('godwit-outbox-later', 2)`))
      await expect(tab.call('put', 2, 1, 10)).rejects.toThrow(
        'the outbox godwit-outbox-later: a later version of this page has written it'
      )
      await expect(tab.call('open', 'later')).rejects.toThrow('a later version of this page has written it')
    })

    test('given a user who clears what was stored, then that is not taken for sent; a new page begins anew', async () => {
      const tab = await newPage()
      await tab.call('open', 'cleared')
      await tab.call('put', 1, 3, 10)
      await tab.page.evaluate(inBrowser(`indexedDB.deleteDatabase('godwit-outbox-cleared')`))
      await expect(tab.call('put', 4, 1, 10)).rejects.toThrow(
        'the outbox godwit-outbox-cleared: the browser has cleared what was stored'
      )
      await expect(tab.call('read')).rejects.toThrow('the browser has cleared what was stored')
      await tab.reload()
      expect(await tab.call('open', 'cleared')).toMatchObject({ messages: 0, nextSequence: 1 })
    })

    test('given a browser that is killed while it commits, then what was stored is there when it is started again', async () => {
      const profile = mkdtempSync(join(tmpdir(), 'godwit-browser-'))
      onTestFinished(() => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }))
      const stored: number[] = []
      for (let start = 0; start < 2; start++) {
        const killable = await KillableChromium.launch(chromium ?? '', profile)
        onTestFinished(() => killable.kill())
        const context = killable.browser.contexts()[0] ?? (await killable.browser.newContext())
        const tab = await openPage<OutboxPage>(await context.newPage(), page().page.url())
        const { nextSequence, messages } = await tab.call('open', 'killed')
        expect(nextSequence).toBeGreaterThan(stored.at(-1) ?? 0)
        expect(messages).toBe(nextSequence - 1)
        await tab.page.exposeFunction('tellStored', (sequence: number) => stored.push(sequence))
        const before = stored.length
        void tab.call('putForever', nextSequence).catch(() => undefined)
        await expect.poll(() => stored.length).toBeGreaterThan(before + 10)
        await killable.kill()
      }
    })

    function page(): TestPage<OutboxPage> {
      if (shared === undefined) throw new Error('the browser has not been launched')
      return shared
    }

    async function newContext(): Promise<BrowserContext> {
      const context = await page().page.context().browser()?.newContext()
      if (context === undefined) throw new Error('the browser has not been launched')
      onTestFinished(() => context.close())
      return context
    }

    async function newPage(context?: BrowserContext): Promise<TestPage<OutboxPage>> {
      return openPage<OutboxPage>(await (context ?? (await newContext())).newPage(), page().page.url())
    }
  }
)

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

/** What waits for a request to IndexedDB, and closes what it opened. */
function inBrowser(request: string): string {
  return `new Promise((resolve, reject) => {
    const request = ${request}
    request.onerror = () => reject(request.error)
    request.onsuccess = () => { request.result?.close(); resolve() }
  })`
}
