import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { delimiter, join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { bundleForBrowsers } from './browser-bundle.ts'

/** Debian's Chromium, or what other systems call theirs; undefined: the tests that need it are skipped. */
export function findChromium(): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter)
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  return names.flatMap((name) => directories.map((directory) => join(directory, name))).find((path) => existsSync(path))
}

/** Functions that a page gives to its test, as `globalThis.page`. What they take and return crosses as JSON. */
type PageApi<Api> = { readonly [Name in keyof Api]: (...args: never[]) => unknown }

/** A page that runs, and what the test may call in it. */
export interface TestPage<Api extends PageApi<Api>> {
  readonly page: Page
  /** What was thrown and caught by nobody. */
  readonly errors: readonly string[]
  call<Name extends keyof Api & string>(name: Name, ...args: Parameters<Api[Name]>): Promise<Awaited<ReturnType<Api[Name]>>>
  /** Loads it anew: what it had in memory is gone. */
  reload(): Promise<void>
}

/** Chromium, and a server of one page: the bundle of one module. */
export interface TestBrowser<Api extends PageApi<Api>> {
  readonly browser: Browser
  /** Opens the page: in a context that shares its storage with the pages in it, or in one of its own. */
  open(context?: BrowserContext): Promise<TestPage<Api>>
  close(): Promise<void>
}

/**
 * Starts Chromium for pages that load a module, which is bundled as an application's would be.
 *
 * @param executablePath what `findChromium` found
 * @param entry the module's source, with imports as from this package's directory
 */
export async function launchBrowser<Api extends PageApi<Api>>(executablePath: string, entry: string): Promise<TestBrowser<Api>> {
  const { code } = await bundleForBrowsers(entry)
  const server = createServer((request, response) => {
    const isModule = request.url === '/main.js'
    response.setHeader('content-type', isModule ? 'text/javascript' : 'text/html').end(isModule ? code : HTML)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
  const browser = await launchChromium(executablePath)
  return {
    browser,
    open: async (context) => openPage<Api>(await (context ?? (await browser.newContext())).newPage(), url),
    async close(): Promise<void> {
      await browser.close()
      server.closeAllConnections()
      server.close()
    }
  }
}

/** Without its sandbox, which does not work for root, as which CI runs. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ['--no-sandbox'] })
}

const HTML = '<!doctype html><meta charset="utf-8"><title>Godwit</title><script type="module" src="/main.js"></script>'

/** Opens the page of a `TestBrowser` in another page. */
export async function openPage<Api extends PageApi<Api>>(page: Page, url: string): Promise<TestPage<Api>> {
  const errors: string[] = []
  page.on('pageerror', (error) => void errors.push(error.stack ?? error.message))
  await page.goto(url)
  return {
    page,
    errors,
    call: (name, ...args) => page.evaluate(`page[${JSON.stringify(name)}](...${JSON.stringify(args)})`),
    async reload(): Promise<void> {
      await page.reload()
    }
  }
}
