import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The repository's root, with a closing slash. */
export const root: string = join(import.meta.dirname, '../')

export interface TextFile {
  /** Relative to the repository's root, with forward slashes. */
  readonly path: string
  readonly text: string
}

/** What the checks read of a package.json; anything of another shape is as good as absent. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private: boolean
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
  /** What the application must bring itself, if it uses the part that needs it. */
  readonly peerDependencies: Readonly<Record<string, string>>
  /** The subpaths that others may import: `.`, `./internal`, ... */
  readonly exports: readonly string[]
  /** The `#names` that its own sources may import. */
  readonly imports: readonly string[]
}

/** A member of the npm workspace: a directory of `packages/`, or `conformance`. */
export interface WorkspacePackage {
  /** Relative to the repository's root: `packages/broker`. */
  readonly directory: string
  /** The last part of the directory: `broker`. */
  readonly room: string
  readonly manifest: Manifest
  /** The directories that its tsconfig.json references, relative to the repository's root. */
  readonly references: readonly string[]
  /** Its TypeScript sources, tests included. */
  readonly sources: readonly TextFile[]
}

/** Every file that is, or would be, committed: what git tracks and what it does not ignore. Symbolic links and binaries are left out. */
export function committedFiles(): TextFile[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8'
  })
  const files: TextFile[] = []
  for (const path of new Set(listed.split('\0'))) {
    if (path === '' || !existsSync(root + path)) continue
    const text = readFileSync(root + path, 'utf8')
    if (!text.includes('\0')) files.push({ path, text })
  }
  return files
}

export function workspacePackages(): WorkspacePackage[] {
  const directories = globSync(['packages/*/package.json', 'conformance/package.json'], { cwd: root })
    .map((path) => path.replaceAll('\\', '/').replace(/\/package\.json$/, ''))
    .toSorted()
  return directories.map((directory) => ({
    directory,
    room: directory.slice(directory.lastIndexOf('/') + 1),
    manifest: parseManifest(readFileSync(join(root, directory, 'package.json'), 'utf8')),
    references: parseReferences(directory, readFileSync(join(root, directory, 'tsconfig.json'), 'utf8')),
    sources: globSync(`${directory}/src/**/*.ts`, { cwd: root })
      .map((path) => path.replaceAll('\\', '/'))
      .toSorted()
      .map((path) => ({ path, text: readFileSync(root + path, 'utf8') }))
  }))
}

export function parseManifest(text: string): Manifest {
  const json = record(JSON.parse(text))
  return {
    name: string(json['name']),
    version: string(json['version']),
    private: json['private'] === true,
    dependencies: strings(json['dependencies']),
    devDependencies: strings(json['devDependencies']),
    optionalDependencies: strings(json['optionalDependencies']),
    peerDependencies: strings(json['peerDependencies']),
    exports: Object.keys(record(json['exports'])),
    imports: Object.keys(record(json['imports']))
  }
}

function parseReferences(directory: string, text: string): string[] {
  const references = record(JSON.parse(text))['references']
  if (!Array.isArray(references)) return []
  return references.map((reference: unknown) => join(directory, string(record(reference)['path'])).replaceAll('\\', '/'))
}

/** An object's own entries; empty for anything that is not an object. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function strings(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record(value)).map(([key, entry]) => [key, string(entry)]))
}

/** Tests (`*.test.ts`) and what only they use (`*.test.support.ts`, `testing/`): none of it is published. */
export function isTest(path: string): boolean {
  return /\.test\.[\w.]+$|\/testing\//.test(path)
}
