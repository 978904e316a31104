import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SnippetStage, hasOpenssl, needsOpenssl } from './testing/snippet-stage.ts'
import { type Snippet, SnippetFolder, snippetsIn, snippetsOf } from './testing/snippets.ts'

const PAGES = ['docs/client/*.md', 'packages/client/README.md']

const ofClient = ({ text }: Snippet): boolean => text.includes('@godwit/client')

// The first page of the repository shows the broker as well, which checks/packaging.test.ts compiles.
const snippets = [...snippetsOf(PAGES), ...snippetsOf(['README.md']).filter(ofClient)]
const withOpenssl = hasOpenssl()

/** What is printed, as the comments say. */
function saidBy({ text }: Snippet): string[] {
  return [...text.matchAll(/console\.log.*\/\/ → (.*)$/gm)].map(([, line = '']) => line)
}

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

  test('most of them run, and many say what they print', () => {
    expect(running.length).toBeGreaterThan(snippets.length / 2)
    expect(running.flatMap(saidBy).length).toBeGreaterThan(10)
  })

  for (const snippet of running) {
    const isSkipped = needsOpenssl(snippet) && !withOpenssl
    test.skipIf(isSkipped)(`${snippet.place}: runs, and prints what it says${isSkipped ? ' (needs openssl)' : ''}`, async () => {
      const printed = await stage.play(snippet)
      expect(printed).toEqual(expect.arrayContaining(saidBy(snippet)))
    })
  }
})

test('a snippet that is wrong is noticed', async () => {
  const wrong = [
    'const state: number = client.state',
    "throw new Error('no')",
    "client.subscribe('t', {}, () => Promise.reject(new Error('not this one')))"
  ].map((text) => `\`\`\`ts\n${text}\n\`\`\`\n`)
  const snippets = snippetsIn('page.md', wrong.join(''))
  expect(snippets.map(({ place }) => place)).toEqual(['page.md:1', 'page.md:4', 'page.md:7'])
  expect(() => snippetsIn('page.md', '```ts no-run\nlet it\n```\n')).toThrow('page.md:1: `ts no-run` is neither')
  const folder = new SnippetFolder()
  const stage = await SnippetStage.open(folder)
  try {
    expect(folder.check(snippets)).toEqual([expect.stringMatching(/^page-md-1\.ts\(1,7\): error TS2322/)])
    const [, throws, rejects] = snippets
    await expect(throws && stage.play(throws)).rejects.toThrow('no')
    await expect(rejects && stage.play(rejects)).rejects.toThrow('not this one')
  } finally {
    await stage.close()
    folder.remove()
  }
})
