// `npm test`: every check and every test, in the order of what fails fastest. A failed step does not hide the ones after it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { countTests, summarize, type StepResult } from './summary.ts'
import { root, workspacePackages } from './workspace.ts'

const temporary = mkdtempSync(join(tmpdir(), 'godwit-test-'))
const report = join(temporary, 'vitest.json')
const published = workspacePackages().filter(({ manifest }) => !manifest.private)

const steps: readonly { title: string; commands: readonly string[][] }[] = [
  { title: 'Lock file', commands: [['node', 'checks/lock.js']] },
  { title: 'Lint', commands: [['oxlint', '--type-aware', '--deny-warnings']] },
  { title: 'Format', commands: [['oxfmt', '--check']] },
  {
    title: 'Types, and the build',
    commands: [
      ['tsc', '-b'],
      ['tsc', '-p', 'bench']
    ]
  },
  { title: 'Unused files, exports and dependencies', commands: [['knip', '--no-progress', '--no-config-hints']] },
  { title: 'Published packages', commands: published.map(({ directory }) => ['publint', 'run', '--strict', directory]) },
  {
    title: 'Tests: units, checks, conformance, interoperation, packaging',
    commands: [['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]]
  }
]

const environment = { ...process.env, PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}` }

function run(command: readonly string[]): boolean {
  const [program = '', ...args] = command
  console.log(`$ ${command.join(' ')}`)
  const { status, error } = spawnSync(program, args, { cwd: root, env: environment, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error !== undefined) console.error(error.message)
  return status === 0
}

const results: StepResult[] = []
for (const { title, commands } of steps) {
  console.log(`\n== ${title}`)
  const startedAt = performance.now()
  const failures = commands.filter((command) => !run(command))
  results.push({ title, succeeded: failures.length === 0, seconds: (performance.now() - startedAt) / 1000 })
}

function readReport(): unknown {
  try {
    return JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return undefined
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

console.log(`\n== Summary\n${summarize(results, countTests(readReport()))}`)
process.exitCode = results.every(({ succeeded }) => succeeded) ? 0 : 1
