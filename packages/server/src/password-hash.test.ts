import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashPassword, isPasswordHash, verifyPassword } from './password-hash.ts'

const cheap = (parameters: string): string => `$scrypt$${parameters}$c2FsdHNhbHRzYWx0c2FsdA$c2FsdHNhbHRzYWx0c2FsdA`

test('a password fits its hash, another does not, and no two hashes are alike', async () => {
  const password = Buffer.from('Limosa lapponica')
  const [first, second] = await Promise.all([hashPassword(password), hashPassword(password)])
  expect(first).toMatch(/^\$scrypt\$15\$8\$1\$[\w+/]{22}\$[\w+/]{43}$/)
  expect(first).not.toBe(second)
  expect(isPasswordHash(first)).toBe(true)
  expect(await verifyPassword(password, first)).toBe(true)
  expect(await verifyPassword(password, second)).toBe(true)
  expect(await verifyPassword(Buffer.from('limosa lapponica'), first)).toBe(false)
  expect(await verifyPassword(Buffer.alloc(0), first)).toBe(false)
})

test.each([
  ['', 'nothing'],
  ['secret', 'a plain password'],
  ['$2b$10$abcdefghijklmnopqrstuv', 'bcrypt'],
  [cheap('21$8$1'), 'a cost of gigabytes'],
  [cheap('20$8$1'), 'more memory than a check may take'],
  [cheap('0$8$1'), 'no cost'],
  [cheap('14$0$1'), 'no block'],
  [cheap('14$8$17'), 'a cost of minutes'],
  [`${cheap('14$8$1')}\n`, 'a line break']
])('%j is no password hash: %s', async (text) => {
  expect(isPasswordHash(text)).toBe(false)
  await expect(verifyPassword(Buffer.from('x'), text)).rejects.toThrow(RangeError)
})

test('whatever is changed in a hash, the password does not fit it any more', { timeout: 60_000 }, async () => {
  const password = Buffer.from('x')
  const hash = cheap('1$1$1')
  const property = fc.asyncProperty(
    fc.nat(hash.length - 1),
    fc.constantFrom(...'abcXYZ0189+/$,='.split('')),
    async (at, letter) => {
      const changed = `${hash.slice(0, at)}${letter}${hash.slice(at + 1)}`
      if (isPasswordHash(changed)) expect(await verifyPassword(password, changed)).toBe(false)
    }
  )
  await fc.assert(property, { numRuns: 100 })
})
