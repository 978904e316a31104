import { join } from 'node:path'
import { createBroker } from '@godwit/broker'
import type { Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { createServer } from 'vite'
import { BreakableLink } from './testing/breakable-link.ts'
import { findChromium, launchChromium } from './testing/browser-page.ts'
import { reading } from './testing/reading.ts'

const EXAMPLE = join(import.meta.dirname, '../../../examples/web-page')

const chromium = findChromium()

/** As `npx vite examples/web-page` serves it. */
async function serving(): Promise<string> {
  const server = await createServer({
    root: EXAMPLE,
    configFile: join(EXAMPLE, 'vite.config.ts'),
    logLevel: 'error',
    server: { port: 0, host: '127.0.0.1', hmr: false, watch: null }
  })
  onTestFinished(() => server.close())
  await server.listen()
  return server.resolvedUrls?.local[0] ?? ''
}

test.skipIf(chromium === undefined)(
  'the example of a web page keeps its notes until they are delivered (needs chromium)',
  async () => {
    const broker = await createBroker()
    onTestFinished(() => broker.close())
    const link = await BreakableLink.to((await broker.listen({ kind: 'websocket', port: 0 })).port)
    onTestFinished(() => link.close())
    const notes = await reading((await broker.listen({ kind: 'tcp', port: 0 })).url, 'field/notes')

    const browser = await launchChromium(chromium ?? '')
    onTestFinished(() => browser.close())
    const context = await browser.newContext()
    const page = await context.newPage()
    const url = `${await serving()}?broker=${encodeURIComponent(`ws://127.0.0.1:${link.port}/mqtt`)}`
    await page.goto(url)
    await page.locator('#state:text-is("connected")').waitFor()

    await publish(page, 'first')
    await page.locator('#published li[data-fate=delivered]:text-is("first")').waitFor()
    await page.locator('#received li:text-is("first")').waitFor()

    link.breaks()
    for (const note of ['second', 'third']) {
      await publish(page, note)
      await page.locator(`#published li[data-fate=kept]:text-is("${note}")`).waitFor()
    }
    await page.reload()
    await page.locator('#waiting:text-is("2")').waitFor()

    const otherTab = await context.newPage()
    await otherTab.goto(url)
    await otherTab.locator('#state:has-text("in use")').waitFor()

    link.isMended()
    await page.locator('#waiting:text-is("0")').waitFor()
    await page.locator('#received li:text-is("third")').waitFor()
    expect(await notes(3)).toEqual(['first', 'second', 'third'])
  }
)

async function publish(page: Page, note: string): Promise<void> {
  await page.locator('#note').fill(note)
  await page.locator('button').click()
}
