import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import { importedModules, moduleLevelVariables } from './imports.ts'
import { isTest, type TextFile, type WorkspacePackage } from './workspace.ts'

interface Room {
  /** The rooms that its sources may import. Dependencies point one way: this table has no cycle. */
  readonly mayImport: readonly string[]
  /** Rooms that only its tests may import besides. */
  readonly testsMayImport?: readonly string[]
}

/** The rooms as ARCHITECTURE.md draws them. */
export const rooms: Readonly<Record<string, Room>> = {
  protocol: { mayImport: [] },
  transport: { mayImport: [] },
  storage: { mayImport: ['protocol'] },
  broker: { mayImport: ['protocol', 'transport', 'storage'] },
  client: { mayImport: ['protocol', 'transport'], testsMayImport: ['broker', 'storage', 'testkit'] },
  server: { mayImport: ['broker', 'storage', 'transport'] },
  cli: { mayImport: ['server', 'client', 'protocol'] },
  testkit: { mayImport: ['broker', 'protocol', 'storage', 'transport'] },
  conformance: { mayImport: ['testkit', 'client', 'protocol'] }
}

/** These may use Node's own modules only in the files listed, so that browsers can bundle the rest. */
const nodeModulesOnlyIn: Readonly<Record<string, readonly string[]>> = {
  protocol: ['src/utf8-node.ts'],
  client: ['', '/check-data-file', '/folder', '/outbox-file', '/outbox-thread', '/room'].map(
    (file) => `src/file-outbox${file}.ts`
  )
}

/** Embedded in other people's processes, perhaps several at once: they keep no state outside their objects. */
const librariesWithoutGlobals: ReadonlySet<string> = new Set(['protocol', 'transport', 'client', 'storage', 'broker'])

/**
 * Compares what each package imports with the table above, with its package.json and with its tsconfig.json.
 * `testTools` are the packages that every test may import: the root's devDependencies. Returns one line for each thing out of place.
 */
export function checkDependencies(
  packages: readonly WorkspacePackage[],
  testTools: ReadonlySet<string>,
  table: Readonly<Record<string, Room>> = rooms
): string[] {
  const byName = new Map(packages.map((each) => [each.manifest.name, each]))
  return packages.flatMap((owner) => {
    const room = table[owner.room]
    if (room === undefined) return [`${owner.directory}: not drawn among the rooms`]
    return [
      ...owner.sources.flatMap((source) =>
        importedModules(source.path, source.text)
          .map((specifier) => checkImport(owner, source, specifier, room, byName, testTools))
          .filter((finding) => finding !== undefined)
          .map((finding) => `${source.path}: ${finding}`)
      ),
      ...checkUsed(owner, byName, testTools),
      ...checkVersions(owner, byName),
      ...checkGlobals(owner)
    ]
  })
}

function checkImport(
  owner: WorkspacePackage,
  source: TextFile,
  specifier: string,
  room: Room,
  byName: ReadonlyMap<string, WorkspacePackage>,
  testTools: ReadonlySet<string>
): string | undefined {
  const test = isTest(source.path)
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(source.path), specifier)
    return target.startsWith(`${owner.directory}/`) ? undefined : `${specifier} leaves the package`
  }
  if (specifier.startsWith('#')) {
    return owner.manifest.imports.includes(specifier) ? undefined : `package.json has no import ${specifier}`
  }
  if (isBuiltin(specifier)) {
    const only = nodeModulesOnlyIn[owner.room]
    if (test || only === undefined || only.includes(source.path.slice(owner.directory.length + 1))) return undefined
    return `${specifier} would keep browsers from bundling the package`
  }
  const name = packageName(specifier)
  const sibling = byName.get(name)
  if (sibling === undefined) {
    const { dependencies, devDependencies } = owner.manifest
    if (!test || testTools.has(name) || dependencies[name] !== undefined || devDependencies[name] !== undefined) return undefined
    return `neither package.json here nor the root's devDependencies list ${name}`
  }
  const mayImport = test ? [...room.mayImport, ...(room.testsMayImport ?? [])] : room.mayImport
  if (sibling !== owner && !mayImport.includes(sibling.room)) return `${owner.room} may not import ${sibling.room}`
  const subpath = `.${specifier.slice(name.length)}`
  return sibling.manifest.exports.includes(subpath) ? undefined : `${name} does not export ${subpath}`
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/**
 * package.json lists what the sources import, no more and no less, but for what a sibling leaves to its users to bring;
 * tsconfig.json lists the siblings that sources or tests import. A private package is never installed by others: what its
 * tests import counts as well.
 */
function checkUsed(
  owner: WorkspacePackage,
  byName: ReadonlyMap<string, WorkspacePackage>,
  testTools: ReadonlySet<string>
): string[] {
  const dependencies = new Set<string>()
  const references = new Set<string>()
  for (const { path, text } of owner.sources) {
    for (const specifier of importedModules(path, text)) {
      const name = packageName(specifier)
      if (/^[.#]/.test(specifier) || isBuiltin(specifier) || name === owner.manifest.name) continue
      if (!isTest(path) || (owner.manifest.private && !testTools.has(name))) dependencies.add(name)
      const sibling = byName.get(name)
      if (sibling !== undefined) references.add(sibling.directory)
    }
  }
  const brought = new Set([...dependencies].flatMap((name) => Object.keys(byName.get(name)?.manifest.peerDependencies ?? {})))
  const listed = Object.keys({ ...owner.manifest.dependencies, ...owner.manifest.peerDependencies }).filter(
    (name) => dependencies.has(name) || !brought.has(name)
  )
  return [
    ...compare(`${owner.directory}/package.json: dependencies`, listed, dependencies),
    ...compare(`${owner.directory}/tsconfig.json: references`, owner.references, references)
  ]
}

function compare(where: string, listed: readonly string[], used: ReadonlySet<string>): string[] {
  return [
    ...[...used].filter((name) => !listed.includes(name)).map((name) => `${where} lack ${name}, which the sources import`),
    ...listed.filter((name) => !used.has(name)).map((name) => `${where} list ${name}, which no source imports`)
  ]
}

/** A range would let two machines run different code, and siblings are released together. */
function checkVersions(owner: WorkspacePackage, byName: ReadonlyMap<string, WorkspacePackage>): string[] {
  const where = `${owner.directory}/package.json`
  return Object.entries({ ...owner.manifest.dependencies, ...owner.manifest.devDependencies }).flatMap(([name, version]) => {
    const sibling = byName.get(name)
    if (sibling !== undefined && sibling.manifest.version !== version) {
      return [`${where}: ${name} is ${sibling.manifest.version} here, not ${version}`]
    }
    return /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version) ? [] : [`${where}: ${name} ${version} is not an exact version`]
  })
}

function checkGlobals(owner: WorkspacePackage): string[] {
  if (!librariesWithoutGlobals.has(owner.room)) return []
  return owner.sources
    .filter(({ path }) => !isTest(path))
    .flatMap(({ path, text }) => moduleLevelVariables(path, text).map((name) => `${path}: module-level state: let ${name}`))
}
