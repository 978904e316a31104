import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/** scrypt with 32 MiB and about 60 ms: dear enough for guessing, cheap enough for a fleet that comes back at once. */
const COST = { logN: 15, r: 8, p: 1 }
const SALT_BYTES = 16
const HASH_BYTES = 32

/** What a hash in a file may ask of us: a typing error must not cost gigabytes or minutes. */
const LOG_N_MAX = 20
const MEMORY_BYTES_MAX = 512 * 1024 * 1024
const P_MAX = 16

interface PasswordHash {
  readonly cost: typeof COST
  readonly salt: Buffer
  readonly hash: Buffer
}

const PATTERN = /^\$scrypt\$(\d{1,2})\$(\d{1,2})\$(\d{1,2})\$([\w+/-]{11,86})\$([\w+/-]{22,86})$/

/** A salted hash of a password as one line, with what it takes to check it (log2 of N, r, p): `$scrypt$15$8$1$SALT$HASH`. */
export async function hashPassword(password: Uint8Array): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, salt, HASH_BYTES, COST)
  return `$scrypt$${COST.logN}$${COST.r}$${COST.p}$${unpadded(salt)}$${unpadded(hash)}`
}

/** @throws RangeError if the hash is none */
export async function verifyPassword(password: Uint8Array, passwordHash: string): Promise<boolean> {
  const parsed = parse(passwordHash)
  if (parsed === undefined) throw new RangeError('the password hash is none that hashPassword made')
  return timingSafeEqual(await derive(password, parsed.salt, parsed.hash.length, parsed.cost), parsed.hash)
}

export function isPasswordHash(text: string): boolean {
  return parse(text) !== undefined
}

function parse(text: string): PasswordHash | undefined {
  const [, logN, r, p, salt, hash] = PATTERN.exec(text) ?? []
  if (salt === undefined || hash === undefined) return undefined
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) }
  const isWithinBounds =
    cost.logN >= 1 &&
    cost.logN <= LOG_N_MAX &&
    cost.r >= 1 &&
    cost.p >= 1 &&
    cost.p <= P_MAX &&
    memoryBytes(cost) <= MEMORY_BYTES_MAX
  return isWithinBounds ? { cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') } : undefined
}

function memoryBytes({ logN, r, p }: typeof COST): number {
  return 128 * r * (2 ** logN + p)
}

function derive(password: Uint8Array, salt: Buffer, length: number, cost: typeof COST): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const options = { N: 2 ** cost.logN, r: cost.r, p: cost.p, maxmem: 2 * memoryBytes(cost) }
  scrypt(password, salt, length, options, (error, key) => {
    if (error === null) resolve(key)
    else reject(error)
  })
  return promise
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
