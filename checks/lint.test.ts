import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { record, root } from './workspace.ts'

/** Rules that the code relies on, each with a line that must not pass: a rule that was renamed or switched off is noticed here. */
const forbidden: readonly (readonly [rule: string, source: string])[] = [
  ['typescript(no-explicit-any)', 'export const x: any = 1'],
  ['typescript(no-non-null-assertion)', 'export function f(text: string | undefined): string { return text! }'],
  ['typescript(no-unsafe-type-assertion)', 'export function f(value: string | number): string { return value as string }'],
  ['typescript(no-unsafe-assignment)', "export const x: { a: number } = JSON.parse('{}')"],
  ['typescript(no-floating-promises)', 'export function f(done: Promise<void>): void { done }'],
  ['typescript(no-misused-promises)', 'export function f(done: Promise<boolean>): number { return done ? 1 : 2 }'],
  ['typescript(switch-exhaustiveness-check)', "export function f(x: 'a' | 'b'): void { switch (x) { case 'a': f(x) } }"],
  ['typescript(consistent-type-imports)', "import { Stats } from 'node:fs'\nexport const x: Stats[] = []"],
  ['unicorn(prefer-node-protocol)', "import { join } from 'path'\nexport const x = join('a', 'b')"],
  ['import(no-default-export)', 'export default 1'],
  ['eslint(eqeqeq)', 'export function f(a: number, b: number): boolean { return a == b }'],
  ['eslint(no-unused-vars)', 'const x = 1\nexport {}'],
  ['eslint(no-console)', "console.log('a library has no voice of its own')"]
]

const directory = mkdtempSync(join(tmpdir(), 'godwit-lint-'))
const found = new Map<string, string[]>()

beforeAll(() => {
  const sources = join(directory, 'packages/broker/src')
  mkdirSync(sources, { recursive: true })
  const compilerOptions = {
    rootDir: '.',
    outDir: 'dist',
    isolatedDeclarations: false,
    typeRoots: [join(root, 'node_modules/@types')]
  }
  const extended = join(root, 'tsconfig.base.json')
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ extends: extended, compilerOptions, include: ['packages'] }))
  forbidden.forEach(([, source], index) => writeFileSync(join(sources, `case-${index}.ts`), `${source}\n`))
  // The configuration is copied, because its globs are relative to where it lies.
  copyFileSync(join(root, '.oxlintrc.json'), join(directory, '.oxlintrc.json'))
  const { stdout, stderr } = spawnSync(join(root, 'node_modules/.bin/oxlint'), ['--type-aware', '--format=json'], {
    cwd: directory,
    encoding: 'utf8'
  })
  const diagnostics = record(JSON.parse(stdout))['diagnostics']
  if (!Array.isArray(diagnostics)) throw new TypeError(`oxlint reported no diagnostics: ${stdout}${stderr}`)
  for (const { filename, code } of diagnostics.map(record)) {
    const file = String(filename).replace(/^.*\//, '')
    found.set(file, [...(found.get(file) ?? []), String(code)])
  }
})

afterAll(() => {
  rmSync(directory, { recursive: true })
})

test.each(forbidden.map(([rule, source], index) => ({ rule, source, index })))('$rule is enforced', ({ rule, source, index }) => {
  expect(found.get(`case-${index}.ts`) ?? [], source).toContain(rule)
})
