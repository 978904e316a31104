import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { installAlone, pack, run, thirdPartyDirectories, type PackedPackage } from './packed.ts'
import { root, workspacePackages } from './workspace.ts'

// npm and tsc take a second or two each, and several times that on a machine that is busy with the other tests.
vi.setConfig({ testTimeout: 60_000 })

const published = workspacePackages().filter(({ manifest }) => !manifest.private)
const temporary = mkdtempSync(join(tmpdir(), 'godwit-packaging-'))
let own: PackedPackage[] = []
let available: PackedPackage[] = []

beforeAll(() => {
  const directories = published.map(({ directory }) => directory)
  run('tsc', ['-b', ...directories], root)
  own = pack(directories, join(temporary, 'own'))
  available = [...own, ...pack(thirdPartyDirectories(), join(temporary, 'third-party'))]
}, 240_000)

afterAll(() => {
  rmSync(temporary, { recursive: true })
})

/** What an application of TypeScript's users would set, and stricter about our declarations: they are checked too. */
const consumerConfiguration = {
  compilerOptions: {
    target: 'es2024',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')]
  }
}

function compile(directory: string, source: string): void {
  writeFileSync(join(directory, 'application.ts'), source)
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ ...consumerConfiguration, files: ['application.ts'] }))
  run('tsc', ['-p', directory], directory)
}

/** Not for applications: a manifest, and what needs a peer that an application does not have. */
function isModule(path: string): boolean {
  return !['./package.json', './outbox-suite', './suite', './lmdb', './lmdb/store-tools'].includes(path)
}

/** The names of what is installed in a folder. */
function installedIn(directory: string): string[] {
  return globSync('node_modules/{*,@*/*}/package.json', { cwd: directory })
    .map((path) => path.replaceAll('\\', '/').slice('node_modules/'.length, -'/package.json'.length))
    .toSorted()
}

/** A package and what it declares to depend on, and so on, within the workspace; third-party packages by name. */
function declaredBy(name: string): Set<string> {
  const dependencies = Object.keys(published.find(({ manifest }) => manifest.name === name)?.manifest.dependencies ?? {})
  return new Set([name, ...dependencies.flatMap((dependency) => [...declaredBy(dependency)])])
}

describe.each(published.map(({ manifest, directory }) => ({ name: manifest.name, directory, manifest })))(
  '$name',
  ({ name, directory, manifest }) => {
    const application = join(temporary, name.replace('/', '-'))
    const packed = (): PackedPackage => {
      const found = own.find((each) => each.name === name)
      if (found === undefined) throw new Error(`${name} was not packed`)
      return found
    }

    test('the tarball holds the build, the sources and the licence, and no tests', () => {
      const { files } = packed()
      expect(files).toEqual(expect.arrayContaining(['package.json', 'README.md', 'LICENSE']))
      expect(
        files.filter((path) =>
          /\.test\.|\/testing\/|tsbuildinfo|^(?!bin\/|dist\/|src\/|package\.json|README\.md|LICENSE)/.test(path)
        )
      ).toEqual([])
      expect(readFileSync(join(root, directory, 'LICENSE'), 'utf8')).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'))
      // What an earlier build left of a source that is gone would be published with the rest: remove dist/ and build again.
      const sources = new Set(
        files.filter((path) => path.startsWith('src/')).map((path) => path.replace(/^src\/(.*)\.ts$/, 'dist/$1.js'))
      )
      expect(files.filter((path) => /^dist\/.*\.js$/.test(path) && !sources.has(path))).toEqual([])
    })

    test('installed alone, it brings what it declares and is as it was packed', () => {
      installAlone(packed(), available, application)
      const installed = installedIn(application)
      expect(installed).toEqual(expect.arrayContaining([...declaredBy(name)]))
      const ours = installed.filter((each) => own.some((other) => other.name === each))
      expect(ours).toEqual(ours.filter((each) => declaredBy(name).has(each)))
    })

    test('its modules load, and their types resolve', () => {
      const modules = manifest.exports.filter(isModule).map((path) => `${name}${path.slice(1)}`)
      compile(
        application,
        modules.map((path, index) => `import * as module${index} from '${path}'\nvoid module${index}\n`).join('') || 'export {}\n'
      )
      expect(run('node', ['application.js'], application)).toBe('')
    })
  }
)

/** Connects as a 3.1.1 client would (empty client identifier, Clean Session, no keep alive) and prints the CONNACK. */
const embedder = `
import { connect } from 'node:net'
import { createBroker } from '@godwit/broker'
const broker = await createBroker()
const { port } = await broker.listen({ kind: 'tcp', port: 0 })
const socket = connect(port)
socket.write(Buffer.from('100c00044d515454040200000000', 'hex'))
socket.once('data', (connack) => {
  console.log(connack.toString('hex'))
  socket.destroy()
  void broker.close()
})
`

describe('an application that embeds the broker', () => {
  const application = join(temporary, '@godwit-broker')

  test('accepts a client', () => {
    compile(application, embedder)
    expect(run('node', ['application.js'], application)).toBe('20020000\n')
  })

  test.each(['README.md', 'docs/embedding.md', 'packages/broker/README.md'])('may be written as %s shows', (page) => {
    const blocks = [...readFileSync(join(root, page), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block = '']) => block)
    // Those of the client are run by its own tests.
    const program = blocks.filter((block) => !block.includes('@godwit/client')).join('')
    expect(program).toContain('createBroker')
    compile(application, program)
  })
})

describe('the godwit command', () => {
  const program = join(temporary, 'godwit/node_modules/.bin/godwit')
  const version = published.find(({ manifest }) => manifest.name === 'godwit')?.manifest.version

  test('says its version', () => {
    expect(run(program, ['--version'], temporary).trim()).toContain(version)
  })

  test.each(['0', '2'])('serves with %s I/O threads until SIGTERM, and ends with status 0', async (ioThreads) => {
    expect(existsSync(program)).toBe(true)
    const flags = ['--data', 'data', '--port', '0', '--http-port', '0', '--io-threads', ioThreads]
    const broker = spawn(process.execPath, [program, 'serve', ...flags], { cwd: temporary, stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(broker, 'exit')
    expect(await firstLine(broker, /mqtt:\/\/127\.0\.0\.1:\d+/)).toBe(true)
    broker.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })
})

/** Whether the program prints a line that matches before it ends. */
async function firstLine(program: ChildProcess, pattern: RegExp): Promise<boolean> {
  if (program.stdout === null) return false
  for await (const line of createInterface({ input: program.stdout })) if (pattern.test(line)) return true
  return false
}
