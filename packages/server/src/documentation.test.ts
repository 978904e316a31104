import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseConfigurationFile } from './configuration-file.ts'
import { withReference } from './configuration-reference.test.support.ts'
import { configurationSchema } from './configuration-schema.ts'
import { exposureOf } from './exposure.ts'

const docs = join(import.meta.dirname, '../../../docs')

test('docs/configuration.md has every key, as the schema describes it; -u writes it anew', async () => {
  const page = join(docs, 'configuration.md')
  await expect(withReference(readFileSync(page, 'utf8'))).toMatchFileSnapshot(page)
})

describe('the configurations in docs/', () => {
  const examples = globSync('*.md', { cwd: docs }).flatMap((page) => {
    const blocks = readFileSync(join(docs, page), 'utf8').matchAll(/^```yaml\n(.*?)^```$/gms)
    return [...blocks].map(([, text = ''], index) => ({ page, index: index + 1, text }))
  })

  test('there are some', () => {
    expect(new Set(examples.map(({ page }) => page)).size).toBeGreaterThan(3)
  })

  test.each(examples)('$page, number $index: would be served', ({ page, text }) => {
    const { value } = parseConfigurationFile(page, text)
    const result = configurationSchema.safeParse(value)
    expect(result.error?.issues).toBeUndefined()
    if (result.success) exposureOf(result.data)
  })
})
