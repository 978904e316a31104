import type { Authenticator } from './authenticator.ts'
import { bytesOfBase64, base64OfBytes } from './base64.ts'
import { ClientError } from './client-error.ts'
import { randomBytes } from './random-bytes.ts'
import { saslPrep } from './sasl-prep.ts'

export interface ScramOptions {
  readonly userName: string
  readonly password: string
  /** Fewer make a stolen exchange cheap to guess from. Default: 4,096, as RFC 7677 asks for. */
  readonly minimumIterations?: number | undefined
  /** More are a server that wants to keep us busy: 10 million take some seconds. Default: 10,000,000. */
  readonly maximumIterations?: number | undefined
}

/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677) as enhanced authentication: neither the network nor the server gets the password, and the server has to
 * prove that it knows us. Without channel binding. Needs Web Crypto, which a page has that was loaded over `https:`, or from this machine.
 *
 * @throws {ClientError} `not-supported` without Web Crypto; `invalid-argument` for an empty user name and for characters that SASLprep prohibits
 */
export function scramSha256(options: ScramOptions): Authenticator {
  if (Reflect.get(crypto, 'subtle') === undefined) {
    throw new ClientError(
      'not-supported',
      'SCRAM needs Web Crypto, which a browser gives to pages that were loaded over https: only'
    )
  }
  return new ScramSha256(options, () => base64OfBytes(randomBytes(NONCE_BYTES)))
}

const NONCE_BYTES = 18

const encoder = new TextEncoder()

/** "n,,": we do not bind to a channel, and act for ourselves. `c=` repeats it in base64. */
const GS2_HEADER = 'n,,'
const CHANNEL_BINDING = 'c=biws'

const SERVER_FIRST = /^r=([\x21-\x2b\x2d-\x7e]+),s=([^,]+),i=([1-9][0-9]{0,9})(?:,|$)/
const SERVER_FINAL = /^v=([^,]+)(?:,|$)/
const SERVER_ERROR = /^e=([a-z0-9-]{1,64})(?:,|$)/

type Bytes = Uint8Array<ArrayBuffer>

interface Keys {
  readonly clientKey: Bytes
  readonly storedKey: Bytes
  readonly serverKey: Bytes
}

interface Exchange {
  readonly clientNonce: string
  /** What the server will have to send; undefined until it has sent its challenge. */
  serverSignature: string | undefined
}

export class ScramSha256 implements Authenticator {
  readonly method = 'SCRAM-SHA-256'
  readonly #userName: string
  readonly #password: Bytes
  readonly #minimumIterations: number
  readonly #maximumIterations: number
  readonly #makeNonce: () => string
  #exchange: Exchange = { clientNonce: '', serverSignature: undefined }
  /** Of the last salt and iterations: who comes back to the same server need not derive them again. */
  #derived: { readonly from: string; readonly keys: Keys } | undefined = undefined

  constructor(options: ScramOptions, makeNonce: () => string) {
    this.#userName = prepared('user name', options.userName).replaceAll('=', '=3D').replaceAll(',', '=2C')
    if (this.#userName === '') throw new ClientError('invalid-argument', 'SCRAM needs a user name')
    this.#password = encoder.encode(prepared('password', options.password))
    this.#minimumIterations = options.minimumIterations ?? 4_096
    this.#maximumIterations = options.maximumIterations ?? 10_000_000
    this.#makeNonce = makeNonce
  }

  begin(): Bytes {
    this.#exchange = { clientNonce: this.#makeNonce(), serverSignature: undefined }
    return encoder.encode(GS2_HEADER + this.#clientFirstBare(this.#exchange))
  }

  async respond(data: Uint8Array | undefined): Promise<Bytes> {
    // Another may begin, on another connection, while keys are derived for this one.
    const exchange = this.#exchange
    if (exchange.serverSignature !== undefined) throw failed('it continued when there was nothing left to ask')
    const serverFirst = textOf(data)
    const [, nonce = '', salt = '', iterations = ''] = SERVER_FIRST.exec(serverFirst) ?? []
    if (nonce === '') throw failed('its challenge is not one of SCRAM-SHA-256')
    const isContinued = nonce.startsWith(exchange.clientNonce) && nonce !== exchange.clientNonce
    if (!isContinued) throw failed('its nonce does not continue ours')
    const { clientKey, storedKey, serverKey } = await this.#keysFor(salt, Number(iterations))
    const clientFinal = `${CHANNEL_BINDING},r=${nonce}`
    const authMessage = encoder.encode(`${this.#clientFirstBare(exchange)},${serverFirst},${clientFinal}`)
    const clientSignature = await hmac(storedKey, authMessage)
    const proof = clientKey.map((byte, index) => byte ^ (clientSignature[index] ?? 0))
    exchange.serverSignature = base64OfBytes(await hmac(serverKey, authMessage))
    return encoder.encode(`${clientFinal},p=${base64OfBytes(proof)}`)
  }

  finish(data: Uint8Array | undefined): void {
    const { serverSignature } = this.#exchange
    if (serverSignature === undefined) throw failed('it wants to be done before it has proved anything')
    const [, signature] = SERVER_FINAL.exec(textOf(data)) ?? []
    if (signature === undefined) throw failed('it did not prove that it knows this user')
    if (signature !== serverSignature) {
      throw failed('its signature is wrong: it does not know this user, or is not the server that it claims to be')
    }
  }

  #clientFirstBare({ clientNonce }: Exchange): string {
    return `n=${this.#userName},r=${clientNonce}`
  }

  async #keysFor(encodedSalt: string, iterations: number): Promise<Keys> {
    const asked = `it asks for ${iterations} iterations`
    if (iterations < this.#minimumIterations) throw failed(`${asked}: at least ${this.#minimumIterations} are accepted`)
    if (iterations > this.#maximumIterations) throw failed(`${asked}: at most ${this.#maximumIterations} are accepted`)
    const salt = bytesOfBase64(encodedSalt)
    if (salt === undefined) throw failed('its salt is not base64')
    const from = `${iterations},${encodedSalt}`
    if (this.#derived?.from === from) return this.#derived.keys
    const keys = await deriveKeys(this.#password, salt, iterations)
    this.#derived = { from, keys }
    return keys
  }
}

async function deriveKeys(password: Bytes, salt: Bytes, iterations: number): Promise<Keys> {
  const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits'])
  const derived = await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, key, 256)
  const salted = new Uint8Array(derived)
  const clientKey = await hmac(salted, encoder.encode('Client Key'))
  const storedKey = new Uint8Array(await crypto.subtle.digest('SHA-256', clientKey))
  return { clientKey, storedKey, serverKey: await hmac(salted, encoder.encode('Server Key')) }
}

async function hmac(keyBytes: Bytes, bytes: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', keyBytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes))
}

function prepared(what: string, text: string): string {
  const result = saslPrep(text)
  if (result !== undefined) return result
  throw new ClientError('invalid-argument', `the ${what} has a character that SASLprep (RFC 4013) prohibits`)
}

/** What the server sent; an error instead of what was due ends the exchange. */
function textOf(data: Uint8Array | undefined): string {
  if (data === undefined) return ''
  const text = new TextDecoder().decode(data)
  if (!text.startsWith('e=')) return text
  throw failed(`it answered ${SERVER_ERROR.exec(text)?.[1] ?? 'with an error of its own'}`)
}

function failed(reason: string): ClientError {
  return new ClientError('authentication-failed', `SCRAM with the server failed: ${reason}`)
}
