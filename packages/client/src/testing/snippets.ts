import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../../../..')

/** What the documentation shows as TypeScript: a fenced block that begins with `ts`, or with `ts no-run` and why it cannot run here. */
export interface Snippet {
  /** Where it begins: `docs/client/publish.md:12`. */
  readonly place: string
  /** Of the module that it is checked as. */
  readonly file: string
  readonly text: string
  /** Undefined: it runs. */
  readonly whyNotRun: string | undefined
}

/** The snippets of all pages of the repository that match. */
export function snippetsOf(patterns: readonly string[]): Snippet[] {
  return globSync([...patterns], { cwd: ROOT })
    .toSorted()
    .flatMap((page) => snippetsIn(page, readFileSync(join(ROOT, page), 'utf8')))
}

export function snippetsIn(page: string, markdown: string): Snippet[] {
  return [...markdown.matchAll(/^```ts\b([^\n]*)\n(.*?)^```$/gms)].map(({ index, 1: info = '', 2: text = '' }) => {
    const line = markdown.slice(0, index).split('\n').length
    const noRun = /^ no-run (?<why>\S.*)$/.exec(info)
    const place = `${page}:${line}`
    if (info !== '' && noRun === null) throw new Error(`${place}: \`ts${info}\` is neither \`ts\` nor \`ts no-run REASON\``)
    return { place, file: `${page.replaceAll(/\W+/g, '-')}-${line}.ts`, text, whyNotRun: noRun?.groups?.['why'] }
  })
}

/** What snippets may use without saying where it comes from, as docs/client/README.md tells. */
const AMBIENT = `
import type { Client, Message } from '@godwit/client'
declare global {
  const client: Client
  function act(message: Message): Promise<void>
}
`

/** As strict as an application may be, in Node and in a browser. */
const CONFIGURATION = {
  extends: join(ROOT, 'tsconfig.base.json'),
  compilerOptions: {
    noEmit: true,
    composite: false,
    declarationMap: false,
    isolatedDeclarations: false,
    rootDir: '/',
    lib: ['es2024', 'esnext.disposable', 'dom']
  },
  include: ['*.ts']
}

/** A folder in which snippets are modules that find the packages of this repository. */
export class SnippetFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'godwit-snippets-'))

  constructor() {
    symlinkSync(join(ROOT, 'node_modules'), join(this.path, 'node_modules'))
    this.write('package.json', '{ "type": "module" }')
  }

  /** What the compiler says of them, one line for each mistake. */
  check(snippets: readonly Snippet[]): string[] {
    this.write('ambient.d.ts', AMBIENT)
    this.write('tsconfig.json', JSON.stringify(CONFIGURATION))
    for (const { file, text } of snippets) this.writeModule(file, text)
    try {
      execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', this.path, '--pretty', 'false'], {
        cwd: this.path,
        encoding: 'utf8'
      })
      return []
    } catch (error) {
      if (!(error instanceof Error && 'stdout' in error && typeof error.stdout === 'string')) throw error
      // What is indented explains the line before.
      return error.stdout.split('\n').filter((line) => /^\S/.test(line))
    }
  }

  /** Without an import or export it would be a script, whose names are everybody's. */
  writeModule(file: string, text: string): string {
    return this.write(file, `${text}export {}\n`)
  }

  write(file: string, text: string): string {
    const path = join(this.path, file)
    writeFileSync(path, text)
    return path
  }

  remove(): void {
    rmSync(this.path, { recursive: true })
  }
}
