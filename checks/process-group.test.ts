import { expect, test } from 'vitest'
import { runInGroup } from './process-group.ts'
import { root } from './workspace.ts'

function runScript(script: string, timeoutMs = 15_000): ReturnType<typeof runInGroup> {
  return runInGroup(['node', '--eval', script], root, timeoutMs)
}

test('a program that ends is told of by its status', async () => {
  expect(await runScript('process.exit(0)')).toEqual({ status: 0, problem: undefined, leftBehind: false })
  expect(await runScript('process.exit(3)')).toEqual({ status: 3, problem: undefined, leftBehind: false })
})

test('a program that cannot start is a problem', async () => {
  expect((await runInGroup(['no-such-program'], root, 1000)).problem).toContain('ENOENT')
})

test('a program that does not end is ended', async () => {
  expect(await runScript('setInterval(() => {}, 1000)', 500)).toMatchObject({
    status: undefined,
    problem: 'was not done after 0.5 seconds'
  })
})

test('a process that is left behind is noticed, and ended', async () => {
  const leaving = `
    const left = require('node:child_process').spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    left.once('spawn', () => process.exit(0))`
  expect(await runScript(leaving)).toEqual({ status: 0, problem: undefined, leftBehind: true })
})
