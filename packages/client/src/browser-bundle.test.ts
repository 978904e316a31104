import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type BrowserBundle, bundleForBrowsers, gzippedBytes } from './testing/browser-bundle.ts'

/** Where the figures stand that people read. Whatever is a tenth away from them is a mistake, or a change to write down there. */
const PAGE = 'docs/client/browsers.md'
const TOLERANCE = 0.1

const page = readFileSync(join(import.meta.dirname, '../../..', PAGE), 'utf8')

const CONNECT = `import { connect } from '@godwit/client'; globalThis.used = connect`
const CONNECT_WITH_OUTBOX = `
  import { connect } from '@godwit/client'
  import { indexedDbOutbox } from '@godwit/client/indexed-db-outbox'
  globalThis.used = [connect, indexedDbOutbox]`
const MQTT_JS = `import mqtt from 'mqtt'; globalThis.used = mqtt.connect`

/** Node's modules, for which vite puts an empty one, and packages of others. */
const FOREIGN = /^node:|browser-external|\/node_modules\/(?!@godwit\/)/

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`
}

/** The figures that stand in the page's table beside a name, in bytes. */
function statedBeside(name: string): number[] {
  const row = page.split('\n').find((line) => line.startsWith(`| ${name} |`)) ?? ''
  return [...row.matchAll(/([\d.]+) kB/g)].map(([, figure]) => Number(figure) * 1000)
}

function expectAsStated(name: string, bundle: BrowserBundle): void {
  const measured = [bundle.code.length, gzippedBytes(bundle)]
  const row = `| ${[name, ...measured.map(kilobytes)].join(' | ')} |`
  console.log(row)
  const stated = statedBeside(name)
  const isAsStated = measured.every((bytes, index) => Math.abs(bytes / (stated[index] ?? 0) - 1) <= TOLERANCE)
  expect(isAsStated, `${PAGE} does not say what was measured: ${row}`).toBe(true)
}

describe('what a browser downloads', () => {
  test.each([
    ['`connect`', CONNECT],
    ['`connect` and `indexedDbOutbox`', CONNECT_WITH_OUTBOX]
  ])('%s: ours alone, and as small as the page says', async (name, entry) => {
    const bundle = await bundleForBrowsers(entry)
    expect(bundle.modules.length).toBeGreaterThan(10)
    expect(bundle.modules.filter((module) => FOREIGN.test(module))).toEqual([])
    expectAsStated(name, bundle)
  })

  test('MQTT.js, beside it', async () => {
    expectAsStated('`connect` of MQTT.js 5.16.0', await bundleForBrowsers(MQTT_JS))
  })

  test('what is not ours would be found', async () => {
    for (const entry of [`import * as net from 'node:net'; globalThis.used = net.connect`, MQTT_JS]) {
      const { modules } = await bundleForBrowsers(entry)
      expect(modules.some((module) => FOREIGN.test(module))).toBe(true)
    }
  })
})
