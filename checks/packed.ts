import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { environment } from './process-group.ts'
import { type Manifest, parseManifest, record, root, workspacePackages } from './workspace.ts'

/** A package as `npm publish` would send it. */
export interface PackedPackage {
  readonly directory: string
  readonly name: string
  readonly tarball: string
  /** The paths inside the tarball. */
  readonly files: readonly string[]
}

/** Runs a program to its end and returns what it printed; throws, with both its outputs, if it fails. */
export function run(program: string, args: readonly string[], cwd: string): string {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd,
    env: { ...environment, npm_config_loglevel: 'error' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 240_000
  })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with status ${status}:\n${stdout}${stderr}`)
  return stdout
}

/** Packs directories, each given as a path relative to the root, into tarballs. */
export function pack(directories: readonly string[], destination: string): PackedPackage[] {
  mkdirSync(destination, { recursive: true })
  const args = [
    'pack',
    '--json',
    '--ignore-scripts',
    '--pack-destination',
    destination,
    ...directories.map((path) => `./${path}`)
  ]
  const listing: unknown = JSON.parse(run('npm', args, root))
  if (!Array.isArray(listing)) throw new TypeError('npm pack --json printed no list')
  return listing.map(record).map(({ name, filename, files }, index) => ({
    directory: directories[index] ?? '',
    name: String(name),
    tarball: join(destination, String(filename)),
    files: Array.isArray(files) ? files.map((file) => String(record(file)['path'])) : []
  }))
}

/** The directories in node_modules of everything that the published packages need from others, and what those need in turn. */
export function thirdPartyDirectories(): string[] {
  const packages = workspacePackages()
  const own = new Set(packages.map(({ manifest }) => manifest.name))
  const directories = new Map<string, string>()
  const visit = (owner: string, { dependencies, optionalDependencies }: Manifest): void => {
    const { resolve } = createRequire(join(root, owner, 'package.json'))
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies }).filter((each) => !own.has(each))) {
      const found = resolve.paths(name)?.find((directory) => existsSync(join(directory, name, 'package.json')))
      // What is optional is there for another platform.
      if (found === undefined && optionalDependencies[name] !== undefined) continue
      if (found === undefined) throw new Error(`${name}, which ${owner} needs, is not installed`)
      const directory = relative(root, join(found, name))
      const other = directories.get(name)
      if (other !== undefined && other !== directory) throw new Error(`two versions of ${name}: in ${other} and ${directory}`)
      directories.set(name, directory)
      if (other === undefined) visit(directory, manifestIn(directory))
    }
  }
  for (const { directory, manifest } of packages) if (!manifest.private) visit(directory, manifest)
  return [...directories.values()]
}

function manifestIn(directory: string): Manifest {
  return parseManifest(readFileSync(join(root, directory, 'package.json'), 'utf8'))
}

/**
 * Makes an empty application in `directory` and installs one package into it, alone, from its tarball. Everything it depends on
 * comes from the tarballs given, never from a registry: a dependency that nobody declared is a dependency that is missing.
 */
export function installAlone(wanted: PackedPackage, available: readonly PackedPackage[], directory: string): void {
  mkdirSync(directory, { recursive: true })
  const overrides = Object.fromEntries(
    available.filter(({ name }) => name !== wanted.name).map(({ name, tarball }) => [name, `file:${tarball}`])
  )
  const manifest = { private: true, type: 'module', dependencies: { [wanted.name]: `file:${wanted.tarball}` }, overrides }
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
  const cache = join(directory, '.npm-cache')
  run('npm', ['install', '--offline', '--cache', cache, '--no-audit', '--no-fund', '--ignore-scripts'], directory)
}
