import { describe, expect, test } from 'vitest'
import { CONCURRENT_CHECKS_MAX, WAITING_CHECKS_MAX } from './password-checks.ts'
import { Users } from './users.ts'
import { VerifiedCredentials } from './verified-credentials.ts'

const accepted = { accepted: true }
const badUserNameOrPassword = { accepted: false, reasonCode: 0x86 }
const notAuthorized: unknown = expect.objectContaining({ accepted: false, reasonCode: 0x87 })
const serverBusy: unknown = expect.objectContaining({ accepted: false, reasonCode: 0x89 })

/** In place of scrypt: the hash of a password is the password itself in brackets. Counts, and can be held back. */
class FakeHashing {
  checks = 0
  #held: (() => void)[] | undefined = undefined

  readonly verify = async (password: Uint8Array, passwordHash: string): Promise<boolean> => {
    this.checks++
    const held = this.#held
    if (held !== undefined) await new Promise<undefined>((resolve) => held.push(() => resolve(undefined)))
    return passwordHash === `[${Buffer.from(password).toString()}]`
  }

  hold(): void {
    this.#held = []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const resolve of held) resolve()
  }
}

const ann = { name: 'ann', passwordHash: '[secret]' }
const says = (userName: string | undefined, password: string | undefined) => ({
  userName,
  password: password === undefined ? undefined : Buffer.from(password)
})

describe('who may connect', () => {
  const cases = [
    ['a user with the password', 'ann', 'secret', accepted],
    ['a user with another password', 'ann', 'guess', badUserNameOrPassword],
    ['a user without a password', 'ann', undefined, badUserNameOrPassword],
    ['an unknown user', 'bob', 'secret', badUserNameOrPassword],
    ['a name that every object has', 'constructor', 'secret', badUserNameOrPassword]
  ] as const

  test.each(cases)('%s, anonymous access on or off', async (_, userName, password, verdict) => {
    for (const anonymous of [true, false]) {
      const users = new Users([ann], anonymous, new FakeHashing().verify)
      expect(await users.authenticate(says(userName, password))).toEqual(verdict)
    }
  })

  test('without a user name: as anonymous access says', async () => {
    for (const password of [undefined, 'secret']) {
      expect(await new Users([ann], true).authenticate(says(undefined, password))).toEqual(accepted)
      expect(await new Users([ann], false).authenticate(says(undefined, password))).toEqual(notAuthorized)
    }
  })

  test('as long as there are no users, names mean nothing', async () => {
    expect(await new Users([], true).authenticate(says('bob', 'x'))).toEqual(accepted)
    expect(await new Users([], false).authenticate(says('bob', 'x'))).toEqual(notAuthorized)
  })

  test('an unknown name costs as much as a wrong password', async () => {
    const hashing = new FakeHashing()
    const users = new Users([ann], false, hashing.verify)
    await users.authenticate(says('bob', 'secret'))
    await users.authenticate(says('bob', 'secret'))
    expect(hashing.checks).toBe(2)
  })
})

describe('what was verified', () => {
  test('is not verified again; what was refused is', async () => {
    const hashing = new FakeHashing()
    const users = new Users([ann], false, hashing.verify)
    await users.authenticate(says('ann', 'secret'))
    expect(users.authenticate(says('ann', 'secret'))).toEqual(accepted)
    expect(hashing.checks).toBe(1)
    await users.authenticate(says('ann', 'guess'))
    expect(await users.authenticate(says('ann', 'guess'))).toEqual(badUserNameOrPassword)
    expect(hashing.checks).toBe(3)
  })

  test('is worth nothing once the password has been changed, or the user is gone', async () => {
    const users = new Users([ann], false, new FakeHashing().verify)
    await users.authenticate(says('ann', 'secret'))
    users.replace([{ name: 'ann', passwordHash: '[changed]' }], false)
    expect(await users.authenticate(says('ann', 'secret'))).toEqual(badUserNameOrPassword)
    expect(await users.authenticate(says('ann', 'changed'))).toEqual(accepted)
    users.replace([{ name: 'bob', passwordHash: '[secret]' }], false)
    expect(await users.authenticate(says('ann', 'changed'))).toEqual(badUserNameOrPassword)
  })

  test('is forgotten after five minutes, and after 10,000 others', () => {
    let now = 0
    const verified = new VerifiedCredentials(() => now)
    verified.add('first')
    now = 299_999
    expect(verified.has('first')).toBe(true)
    now = 300_000
    expect(verified.has('first')).toBe(false)
    for (let index = 0; index <= 10_000; index++) verified.add(`digest ${index}`)
    expect([verified.has('digest 0'), verified.has('digest 1'), verified.has('digest 10000')]).toEqual([false, true, true])
  })

  test('name and password do not run into one another', () => {
    const verified = new VerifiedCredentials()
    const digests = ['ann', 'anns', 'an'].map((name) =>
      verified.digest(name, 'hash', Buffer.from('nsecret'.slice(name.length - 2)))
    )
    expect(new Set(digests).size).toBe(3)
  })
})

describe('many at once', () => {
  test('few are checked at a time, a bounded number waits, and the rest are told that the server is busy', async () => {
    const hashing = new FakeHashing()
    const users = new Users([ann], false, hashing.verify)
    hashing.hold()
    const verdicts = Array.from({ length: CONCURRENT_CHECKS_MAX + WAITING_CHECKS_MAX }, (_, index) =>
      users.authenticate(says('ann', index % 2 === 0 ? 'secret' : 'guess'))
    )
    expect(hashing.checks).toBe(CONCURRENT_CHECKS_MAX)
    expect(users.authenticate(says('ann', 'secret'))).toEqual(serverBusy)
    expect(users.authenticate(says('bob', 'secret'))).toEqual(serverBusy)
    hashing.release()
    const settled = await Promise.all(verdicts.map(async (verdict) => verdict))
    expect(settled.filter((verdict) => verdict.accepted)).toHaveLength(settled.length / 2)
    expect(await users.authenticate(says('ann', 'guess'))).toEqual(badUserNameOrPassword)
  })

  test('a check that fails lets the next one in', async () => {
    let checks = 0
    const users = new Users([ann], false, () => {
      checks++
      return Promise.reject(new Error('no memory'))
    })
    const results = await Promise.allSettled(
      Array.from({ length: CONCURRENT_CHECKS_MAX * 3 }, async () => users.authenticate(says('ann', 'secret')))
    )
    expect(results.every(({ status }) => status === 'rejected')).toBe(true)
    expect(checks).toBe(CONCURRENT_CHECKS_MAX * 3)
  })
})
