import type { Accepted, Access, ConnectRequest, Refused } from '@godwit/broker'
import type { MaybePromise } from '@godwit/storage'
import type { UserConfiguration } from './configuration.ts'
import { PasswordChecks } from './password-checks.ts'
import { verifyPassword } from './password-hash.ts'
import { VerifiedCredentials } from './verified-credentials.ts'

type Verdict = Accepted | Refused
type Verify = (password: Uint8Array, passwordHash: string) => Promise<boolean>

const ACCEPTED: Accepted = { accepted: true }

/** [5.0 3.2.2.2] Bad User Name or Password; on 3.1 and 3.1.1 return code 4. */
const BAD_USER_NAME_OR_PASSWORD: Refused = { accepted: false, reasonCode: 0x86 }

/** [5.0 3.2.2.2] Not authorized; on 3.1 and 3.1.1 return code 5. */
const WHO_ARE_YOU: Refused = { accepted: false, reasonCode: 0x87, reasonString: 'a User Name and a Password are needed' }

/** [5.0 3.2.2.2] Server busy; on 3.1 and 3.1.1 return code 3. */
const BUSY: Refused = { accepted: false, reasonCode: 0x89, reasonString: 'too many clients are being authenticated' }

/** Who may connect: the users, by password, and perhaps everybody else without one. */
export class Users implements Access {
  #hashes: ReadonlyMap<string, string>
  #anonymous: boolean
  readonly #checks = new PasswordChecks()
  readonly #verified = new VerifiedCredentials()
  readonly #verify: Verify

  constructor(users: readonly UserConfiguration[], anonymous: boolean, verify: Verify = verifyPassword) {
    this.#hashes = hashesOf(users)
    this.#anonymous = anonymous
    this.#verify = verify
  }

  /** From now on; clients that are connected stay. */
  replace(users: readonly UserConfiguration[], anonymous: boolean): void {
    this.#hashes = hashesOf(users)
    this.#anonymous = anonymous
  }

  authenticate({ userName, password }: Pick<ConnectRequest, 'userName' | 'password'>): MaybePromise<Verdict> {
    const [someHash] = this.#hashes.values()
    if (userName === undefined || someHash === undefined) return this.#anonymous ? ACCEPTED : WHO_ARE_YOU
    if (password === undefined) return BAD_USER_NAME_OR_PASSWORD
    const passwordHash = this.#hashes.get(userName)
    if (passwordHash === undefined) {
      // Checked in vain, so that the time of the answer does not tell which names there are.
      return this.#checks.run(() => this.#verify(password, someHash).then(() => BAD_USER_NAME_OR_PASSWORD)) ?? BUSY
    }
    const digest = this.#verified.digest(userName, passwordHash, password)
    if (this.#verified.has(digest)) return ACCEPTED
    return this.#checks.run(() => this.#check(digest, passwordHash, password)) ?? BUSY
  }

  async #check(digest: string, passwordHash: string, password: Uint8Array): Promise<Verdict> {
    if (!(await this.#verify(password, passwordHash))) return BAD_USER_NAME_OR_PASSWORD
    this.#verified.add(digest)
    return ACCEPTED
  }
}

function hashesOf(users: readonly UserConfiguration[]): ReadonlyMap<string, string> {
  return new Map(users.map(({ name, passwordHash }) => [name, passwordHash]))
}
