import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, defaultClientConditions } from 'vite'

/** What an application's bundler makes of a module that browsers load. */
export interface BrowserBundle {
  /** One ES module, minified. */
  readonly code: string
  /** The modules that went into it: paths, and bare names of what a browser does not have. */
  readonly modules: readonly string[]
}

/** Imports are resolved as from here. */
const PACKAGE = join(import.meta.dirname, '../..')

const ENTRY = 'entry-of-browser-bundle'

/** Bundles a module for browsers with vite, from our sources. */
export async function bundleForBrowsers(entry: string): Promise<BrowserBundle> {
  const built = await build({
    root: PACKAGE,
    configFile: false,
    logLevel: 'silent',
    resolve: { conditions: ['godwit-source', ...defaultClientConditions] },
    build: { write: false, target: 'es2023', modulePreload: false, rolldownOptions: { input: ENTRY } },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === ENTRY ? join(PACKAGE, `${ENTRY}.ts`) : null),
        load: (id) => (id === join(PACKAGE, `${ENTRY}.ts`) ? entry : null)
      }
    ]
  })
  if (!('output' in built)) throw new TypeError('vite built more than one bundle, or watches')
  const chunks = built.output.filter((each) => each.type === 'chunk')
  const [chunk] = chunks
  if (chunk === undefined || chunks.length > 1) throw new Error(`vite built ${chunks.length} chunks, not one`)
  return { code: chunk.code, modules: chunk.moduleIds }
}

/** What a browser downloads. */
export function gzippedBytes({ code }: BrowserBundle): number {
  return gzipSync(code, { level: 9 }).length
}
