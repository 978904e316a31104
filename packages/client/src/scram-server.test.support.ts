import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'
import type { AuthenticationStep, EnhancedAuthentication } from '@godwit/broker'

/** What a SCRAM server keeps of a user: enough to check a password, and not the password. */
interface ScramUser {
  readonly salt: Buffer
  readonly iterations: number
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

/** The hook of a broker that this is: one of its options. */
interface ScramServer {
  enhancedAuthentication(method: string): EnhancedAuthentication | undefined
}

/** The enhanced authentication of a broker that knows these users, by password. */
export function scramServer(passwords: Readonly<Record<string, string>>, iterations = 4_096): ScramServer {
  const users = new Map(Object.entries(passwords).map(([userName, password]) => [userName, scramUser(password, iterations)]))
  return {
    enhancedAuthentication: (method) => (method === 'SCRAM-SHA-256' ? new ScramExchange(users) : undefined)
  }
}

function scramUser(password: string, iterations: number): ScramUser {
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest()
  return { salt, iterations, storedKey, serverKey: hmac(salted, 'Server Key') }
}

/** What has been said up to the challenge. */
interface Challenged {
  readonly user: ScramUser
  readonly userName: string
  readonly nonce: string
  readonly messages: string
}

class ScramExchange implements EnhancedAuthentication {
  readonly #users: ReadonlyMap<string, ScramUser>
  #challenged: Challenged | undefined = undefined

  constructor(users: ReadonlyMap<string, ScramUser>) {
    this.#users = users
  }

  next(data: Uint8Array | undefined): AuthenticationStep {
    const text = Buffer.from(data ?? []).toString()
    return this.#challenged === undefined ? this.#challenge(text) : this.#verify(text, this.#challenged)
  }

  #challenge(clientFirst: string): AuthenticationStep {
    const [, bare = '', escaped = '', clientNonce = ''] = /^n,,(n=([^,]+),r=([^,]+))$/.exec(clientFirst) ?? []
    const userName = escaped.replaceAll('=2C', ',').replaceAll('=3D', '=')
    const user = this.#users.get(userName)
    if (user === undefined) return { status: 'done', accepted: false, reasonString: 'unknown user' }
    const nonce = clientNonce + randomBytes(18).toString('base64')
    const serverFirst = `r=${nonce},s=${user.salt.toString('base64')},i=${user.iterations}`
    this.#challenged = { user, userName, nonce, messages: `${bare},${serverFirst}` }
    return { status: 'continue', data: Buffer.from(serverFirst) }
  }

  #verify(clientFinal: string, { user, userName, nonce, messages }: Challenged): AuthenticationStep {
    const [, withoutProof = '', echoed = '', encoded = ''] = /^(c=biws,r=([^,]+)),p=([^,]+)$/.exec(clientFinal) ?? []
    const authMessage = `${messages},${withoutProof}`
    const signature = hmac(user.storedKey, authMessage)
    const proof = Buffer.from(encoded, 'base64')
    const clientKey = signature.map((byte, index) => byte ^ (proof[index] ?? 0))
    const isProved = timingSafeEqual(createHash('sha256').update(clientKey).digest(), user.storedKey)
    if (echoed !== nonce || !isProved) return { status: 'done', accepted: false, reasonString: 'wrong password' }
    return {
      status: 'done',
      accepted: true,
      userName,
      data: Buffer.from(`v=${hmac(user.serverKey, authMessage).toString('base64')}`)
    }
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
