import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checkDependencies, rooms } from './dependency-direction.ts'
import { parseManifest, root, workspacePackages, type WorkspacePackage } from './workspace.ts'

const testTools = new Set(Object.keys(parseManifest(readFileSync(`${root}package.json`, 'utf8')).devDependencies))

test('the packages depend on one another as drawn', () => {
  const packages = workspacePackages()
  expect(packages.length).toBeGreaterThan(0)
  expect(checkDependencies(packages, testTools)).toEqual([])
})

test('the table of rooms has no cycle', () => {
  const order: string[] = []
  const visit = (room: string, path: readonly string[]): void => {
    expect(path, [...path, room].join(' → ')).not.toContain(room)
    if (order.includes(room)) return
    for (const next of rooms[room]?.mayImport ?? []) visit(next, [...path, room])
    order.push(room)
  }
  for (const room of Object.keys(rooms)) visit(room, [])
  expect(order).toHaveLength(Object.keys(rooms).length)
})

/** A workspace of one file each: `lower`, which the table lets `upper` import. */
function workspace(
  upperSource: string,
  changes: Partial<WorkspacePackage> = {},
  file = 'packages/upper/src/index.ts',
  lowerPeers: Readonly<Record<string, string>> = {}
): string[] {
  const lower: WorkspacePackage = {
    directory: 'packages/lower',
    room: 'lower',
    manifest: manifest({ name: '@godwit/lower', exports: { '.': '', './internal': '' }, peerDependencies: lowerPeers }),
    references: [],
    sources: [{ path: 'packages/lower/src/index.ts', text: 'export const one = 1' }]
  }
  const upper: WorkspacePackage = {
    directory: 'packages/upper',
    room: 'upper',
    manifest: manifest({ name: '@godwit/upper', exports: { '.': '' }, dependencies: { '@godwit/lower': '0.1.0' } }),
    references: ['packages/lower'],
    sources: [
      { path: 'packages/upper/src/uses-lower.ts', text: "export type { One } from '@godwit/lower'" },
      { path: file, text: upperSource }
    ],
    ...changes
  }
  const table = { lower: { mayImport: [] }, upper: { mayImport: ['lower'] } }
  return checkDependencies([lower, upper], new Set(['vitest']), table)
}

function manifest(fields: Record<string, unknown>): WorkspacePackage['manifest'] {
  return parseManifest(JSON.stringify({ version: '0.1.0', ...fields }))
}

test('a package that imports as drawn passes', () => {
  expect(
    workspace("import { one } from '@godwit/lower/internal'\nimport { join } from 'node:path'\nimport './uses-lower.ts'")
  ).toEqual([])
  expect(workspace("import { test } from 'vitest'", {}, 'packages/upper/src/a.test.ts')).toEqual([])
})

test.each([
  ['a path into another package', "import '@godwit/lower/src/deep.ts'", '@godwit/lower does not export ./src/deep.ts'],
  ['a path out of the package', "await import('../../lower/src/index.ts')", '../../lower/src/index.ts leaves the package'],
  ['an undeclared #name', "import { x } from '#worker'", 'package.json has no import #worker'],
  ['an unlisted dependency', "export * from 'left-pad'", 'dependencies lack left-pad, which the sources import'],
  ['a test tool in a source', "import type { Mock } from 'vitest'", 'dependencies lack vitest, which the sources import'],
  ['a type imported in place', "export type T = import('zod').ZodType", 'dependencies lack zod, which the sources import']
])('%s is found', (_, source, finding) => {
  expect(workspace(source)).toEqual([expect.stringContaining(finding)])
})

test('an unlisted package in a test is found', () => {
  expect(workspace("import 'left-pad'", {}, 'packages/upper/src/a.test.ts')).toEqual([
    "packages/upper/src/a.test.ts: neither package.json here nor the root's devDependencies list left-pad"
  ])
})

test('an import against the direction is found', () => {
  const lower = {
    directory: 'packages/broker',
    room: 'broker',
    manifest: manifest({ name: '@godwit/broker', exports: { '.': '' } })
  }
  const upper = { directory: 'packages/protocol', room: 'protocol', manifest: manifest({ name: '@godwit/protocol' }) }
  const sources = [{ path: 'packages/protocol/src/index.test.ts', text: "import '@godwit/broker'" }]
  const packages = [
    { ...lower, references: [], sources: [] },
    { ...upper, references: ['packages/broker'], sources }
  ]
  expect(checkDependencies(packages, testTools)).toEqual(['packages/protocol/src/index.test.ts: protocol may not import broker'])
})

test("what a private package's tests import counts as its dependencies", () => {
  const changes = { manifest: manifest({ name: '@godwit/upper', private: true, dependencies: { '@godwit/lower': '0.1.0' } }) }
  const tests = [{ path: 'packages/upper/src/a.test.ts', text: "import '@godwit/lower'\nimport 'vitest'" }]
  expect(workspace('', { ...changes, sources: tests })).toEqual([])
})

test('a room that is not drawn is found', () => {
  expect(workspace('export {}', { room: 'attic' })).toEqual(['packages/upper: not drawn among the rooms'])
})

test('dependencies and references that nothing imports are found', () => {
  expect(workspace('export {}', { sources: [] })).toEqual([
    'packages/upper/package.json: dependencies list @godwit/lower, which no source imports',
    'packages/upper/tsconfig.json: references list packages/lower, which no source imports'
  ])
})

test.each([
  ['0.2.0', 'packages/upper/package.json: @godwit/lower is 0.1.0 here, not 0.2.0'],
  ['^0.1.0', 'packages/upper/package.json: @godwit/lower is 0.1.0 here, not ^0.1.0']
])('a sibling at version %s is found', (version, finding) => {
  const changed = manifest({ name: '@godwit/upper', exports: { '.': '' }, dependencies: { '@godwit/lower': version } })
  expect(workspace('export {}', { manifest: changed })).toEqual([finding])
})

test('a peer dependency may be imported, must be used, and may be a range', () => {
  const peers = manifest({
    name: '@godwit/upper',
    dependencies: { '@godwit/lower': '0.1.0' },
    peerDependencies: { vitest: '^5.1.0' }
  })
  expect(workspace("import { describe } from 'vitest'", { manifest: peers })).toEqual([])
  expect(workspace('export {}', { manifest: peers })).toEqual([
    'packages/upper/package.json: dependencies list vitest, which no source imports'
  ])
})

test('what a sibling leaves to its users to bring may be listed without an import', () => {
  const brings = manifest({ name: '@godwit/upper', dependencies: { '@godwit/lower': '0.1.0', lmdb: '3.5.6' } })
  const source = "import { one } from '@godwit/lower'"
  const file = 'packages/upper/src/index.ts'
  expect(workspace(source, { manifest: brings }, file)).toEqual([
    'packages/upper/package.json: dependencies list lmdb, which no source imports'
  ])
  const findings = workspace(source, { manifest: brings }, file, { lmdb: '3.5.6' })
  expect(findings.filter((finding) => finding.startsWith('packages/upper'))).toEqual([])
})

test('a range of versions is found', () => {
  const changed = manifest({ name: '@godwit/upper', exports: {}, dependencies: { '@godwit/lower': '0.1.0', ws: '^8.0.0' } })
  expect(workspace("import 'ws'", { manifest: changed })).toEqual([
    'packages/upper/package.json: ws ^8.0.0 is not an exact version'
  ])
})

test("Node's modules and module-level state in the protocol are found", () => {
  const protocol: WorkspacePackage = {
    directory: 'packages/protocol',
    room: 'protocol',
    manifest: manifest({ name: '@godwit/protocol' }),
    references: [],
    sources: [
      { path: 'packages/protocol/src/utf8-node.ts', text: "import { isUtf8 } from 'node:buffer'" },
      { path: 'packages/protocol/src/codec.ts', text: "import { isUtf8 } from 'node:buffer'\nexport let count = 0" }
    ]
  }
  expect(checkDependencies([protocol], testTools)).toEqual([
    'packages/protocol/src/codec.ts: node:buffer would keep browsers from bundling the package',
    'packages/protocol/src/codec.ts: module-level state: let count'
  ])
})
