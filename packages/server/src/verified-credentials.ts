import { createHmac, randomBytes } from 'node:crypto'

/** Long enough that a fleet which lost its connections comes back without a check for each, short enough to forget. */
const REMEMBER_MS = 5 * 60 * 1000
const CREDENTIALS_MAX = 10_000

/**
 * Credentials that were verified lately, so that the dear check is not repeated at each reconnection. Holds no passwords:
 * only keyed digests of them, with a key that the process alone has. Wrong ones are not remembered.
 */
export class VerifiedCredentials {
  readonly #key = randomBytes(32)
  readonly #now: () => number
  /** Digest → until when, the least recently verified first. */
  readonly #expiry = new Map<string, number>()

  /** @param now milliseconds that only ever rise */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** `passwordHash` takes part: a changed password makes what was verified before worthless. */
  digest(userName: string, passwordHash: string, password: Uint8Array): string {
    const name = Buffer.from(userName)
    return createHmac('sha256', this.#key)
      .update(`${name.length} `)
      .update(name)
      .update(passwordHash)
      .update(password)
      .digest('base64')
  }

  has(digest: string): boolean {
    const expiry = this.#expiry.get(digest)
    if (expiry === undefined) return false
    if (expiry > this.#now()) return true
    this.#expiry.delete(digest)
    return false
  }

  add(digest: string): void {
    this.#expiry.delete(digest)
    this.#expiry.set(digest, this.#now() + REMEMBER_MS)
    if (this.#expiry.size <= CREDENTIALS_MAX) return
    const [oldest] = this.#expiry.keys()
    if (oldest !== undefined) this.#expiry.delete(oldest)
  }
}
