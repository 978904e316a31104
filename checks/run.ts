// `npm test`: every check and every test, in the order of what fails fastest. A failed step does not hide the ones after it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInGroup } from './process-group.ts'
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
      ['tsc', '-p', 'bench'],
      ['tsc', '-p', 'packages/protocol/fuzz'],
      ['tsc', '-p', 'packages/storage/fuzz'],
      ['tsc', '-p', 'examples'],
      ['tsc', '-p', 'examples/web-page']
    ]
  },
  { title: 'Unused files, exports and dependencies', commands: [['knip', '--no-progress', '--no-config-hints']] },
  { title: 'Published packages', commands: published.map(({ directory }) => ['publint', 'run', '--strict', directory]) },
  {
    title: 'Tests: units, checks, conformance, interoperation, packaging',
    commands: [['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]]
  }
]

/** Longer than any step takes: CI should hear of a step that hangs, and of which. */
const STEP_TIMEOUT_MS = 12 * 60_000

const results: StepResult[] = []
for (const { title, commands } of steps) {
  console.log(`\n== ${title}`)
  const startedAt = performance.now()
  let succeeded = true
  for (const command of commands) {
    console.log(`$ ${command.join(' ')}`)
    const { status, problem, leftBehind } = await runInGroup(command, root, STEP_TIMEOUT_MS)
    if (problem !== undefined) console.error(`${command[0]}: ${problem}`)
    if (leftBehind) console.error(`${command[0]}: left processes behind, which have been ended`)
    succeeded &&= status === 0 && problem === undefined
  }
  results.push({ title, succeeded, seconds: (performance.now() - startedAt) / 1000 })
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
