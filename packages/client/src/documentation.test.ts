import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SnippetStage, hasOpenssl, needsOpenssl } from './testing/snippet-stage.ts'
import { SnippetFolder, snippetsIn, snippetsOf } from './testing/snippets.ts'

const PAGES = ['docs/client/*.md', 'packages/client/README.md']

const snippets = snippetsOf(PAGES)
const withOpenssl = hasOpenssl()

describe('the snippets of the documentation', () => {
  let folder: SnippetFolder
  let stage: SnippetStage
  let problems: readonly string[]

  beforeAll(async () => {
    folder = new SnippetFolder()
    problems = folder.check(snippets)
    stage = await SnippetStage.open(folder)
  })
  afterAll(async () => {
    await stage.close()
    folder.remove()
  })

  test.each(snippets)('$place: has the types that it should', ({ file }) => {
    expect(problems.filter((problem) => problem.startsWith(file))).toEqual([])
  })

  test('nothing else is wrong with the types', () => {
    const files = snippets.map(({ file }) => file)
    expect(problems.filter((problem) => !files.some((file) => problem.startsWith(file)))).toEqual([])
  })

  const running = snippets.filter(({ whyNotRun }) => whyNotRun === undefined)

  test('most of them run', () => {
    expect(running.length).toBeGreaterThan(snippets.length / 2)
  })

  for (const snippet of running) {
    const isSkipped = needsOpenssl(snippet) && !withOpenssl
    test.skipIf(isSkipped)(`${snippet.place}: runs, and prints what it says${isSkipped ? ' (needs openssl)' : ''}`, async () => {
      const printed = await stage.play(snippet)
      const said = [...snippet.text.matchAll(/^console\.log.*\/\/ → (.*)$/gm)].map(([, line]) => line)
      expect(printed).toEqual(expect.arrayContaining(said))
    })
  }
})

test('a snippet that is wrong is noticed', async () => {
  const wrong = snippetsIn('page.md', "```ts\nconst state: number = client.state\n```\n\n```ts\nthrow new Error('no')\n```\n")
  expect(wrong.map(({ place }) => place)).toEqual(['page.md:1', 'page.md:5'])
  expect(() => snippetsIn('page.md', '```ts no-run\nlet it\n```\n')).toThrow('page.md:1: `ts no-run` is neither')
  const folder = new SnippetFolder()
  const stage = await SnippetStage.open(folder)
  try {
    expect(folder.check(wrong)).toEqual([expect.stringMatching(/^page-1\.ts\(1,7\): error TS2322/)])
    await expect(wrong[1] && stage.play(wrong[1])).rejects.toThrow('no')
  } finally {
    await stage.close()
    folder.remove()
  }
})
