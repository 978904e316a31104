import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { scramServer } from './scram-server.test.support.ts'
import { ScramSha256, scramSha256 } from './scram.ts'

/** RFC 7677, section 3: user `user`, password `pencil`. */
const CLIENT_NONCE = 'rOprNGfwEbeRWgbNEkqO'
const SALT = 's=W22ZaJ0SNY7soEsUEjb6gQ=='
const SERVER_NONCE = `${CLIENT_NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0`
const SERVER_FIRST = `r=${SERVER_NONCE},${SALT},i=4096`
const CLIENT_FINAL = `c=biws,r=${SERVER_NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`
const SERVER_FINAL = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='

const bytes = (text: string): Uint8Array => Buffer.from(text)
const text = (data: Uint8Array): string => Buffer.from(data).toString()

function rfcClient(options: { minimumIterations?: number; maximumIterations?: number } = {}): ScramSha256 {
  return new ScramSha256({ userName: 'user', password: 'pencil', ...options }, () => CLIENT_NONCE)
}

async function challenged(): Promise<ScramSha256> {
  const client = rfcClient()
  client.begin()
  await client.respond(bytes(SERVER_FIRST))
  return client
}

describe('SCRAM-SHA-256', () => {
  test('RFC 7677: the example, as often as the client connects', async () => {
    const client = rfcClient()
    expect(client.method).toBe('SCRAM-SHA-256')
    for (let round = 0; round < 2; round++) {
      expect(text(client.begin())).toBe(`n,,n=user,r=${CLIENT_NONCE}`)
      expect(text(await client.respond(bytes(SERVER_FIRST)))).toBe(CLIENT_FINAL)
      client.finish(bytes(SERVER_FINAL))
    }
  })

  test('derives its keys again when salt or iterations change, and only then', async () => {
    const deriveBits = vi.spyOn(crypto.subtle, 'deriveBits')
    const client = rfcClient()
    for (const challenge of [
      SERVER_FIRST,
      SERVER_FIRST,
      SERVER_FIRST.replace('4096', '4097'),
      SERVER_FIRST.replace('W22Z', 'W22Y')
    ]) {
      client.begin()
      await client.respond(bytes(challenge))
    }
    expect(deriveBits).toHaveBeenCalledTimes(3)
  })

  test('an exchange whose connection is gone does not disturb the next', async () => {
    const client = rfcClient()
    client.begin()
    const late = client.respond(bytes(SERVER_FIRST))
    client.begin()
    await late
    expect(text(await client.respond(bytes(SERVER_FIRST)))).toBe(CLIENT_FINAL)
  })

  test('its own nonces differ, and have no comma', async () => {
    const authenticator = scramSha256({ userName: 'user', password: 'pencil' })
    const firsts = new Set<string>()
    for (let round = 0; round < 100; round++) firsts.add(text((await authenticator.begin()) ?? bytes('')))
    expect(firsts.size).toBe(100)
    for (const first of firsts) expect(first).toMatch(/^n,,n=user,r=[A-Za-z0-9+/]{24}$/)
  })

  test.each([
    ['comma and equals sign', 'a=b,c', 'a=3Db=2Cc'],
    ['text that is written in several ways', 'I\u00adX \u2168 \u00aa', 'IX IX a'],
    ['other spaces', 'a\u3000b', 'a b']
  ])('RFC 5802, RFC 4013: a user name with %s', (_name, userName, sent) => {
    expect(text(new ScramSha256({ userName, password: 'x' }, () => 'nonce').begin())).toBe(`n,,n=${sent},r=nonce`)
  })

  test.each([
    'tab\t',
    'delete\u007f',
    'private \ue000',
    'lone \ud800',
    'right to left \u202e',
    'tag \u{e0041}',
    'no character \ufdd0'
  ])('RFC 4013: prohibited in user name and password: %j', (prohibited) => {
    const because = 'has a character that SASLprep (RFC 4013) prohibits'
    expect(() => scramSha256({ userName: prohibited, password: 'x' })).toThrow(
      expect.objectContaining({ code: 'invalid-argument', message: `the user name ${because}` })
    )
    expect(() => scramSha256({ userName: 'x', password: prohibited })).toThrow(
      expect.objectContaining({ code: 'invalid-argument', message: `the password ${because}` })
    )
  })

  test('needs a user name, and Web Crypto', () => {
    expect(() => scramSha256({ userName: '\u00ad', password: 'x' })).toThrow('SCRAM needs a user name')
    onTestFinished(() => void vi.unstubAllGlobals())
    vi.stubGlobal('crypto', { getRandomValues: () => new Uint8Array() })
    expect(() => scramSha256({ userName: 'x', password: 'x' })).toThrow(expect.objectContaining({ code: 'not-supported' }))
  })
})

describe('a SCRAM server that is not to be trusted', () => {
  test.each([
    ['says nothing', undefined, 'its challenge is not one of SCRAM-SHA-256'],
    ['leaves the nonce out', `${SALT},i=4096`, 'its challenge is not one of SCRAM-SHA-256'],
    ['demands an extension', `m=new,${SERVER_FIRST}`, 'its challenge is not one of SCRAM-SHA-256'],
    ['takes another nonce', SERVER_FIRST.replace('r=rO', 'r=rP'), 'its nonce does not continue ours'],
    ['adds nothing to the nonce', `r=${CLIENT_NONCE},${SALT},i=4096`, 'its nonce does not continue ours'],
    ['sends no base64 as salt', SERVER_FIRST.replace('==', '='), 'its salt is not base64'],
    ['asks for no work', SERVER_FIRST.replace('4096', '1'), 'it asks for 1 iterations: at least 4096 are accepted'],
    [
      'asks for endless work',
      SERVER_FIRST.replace('4096', '4000000000'),
      'it asks for 4000000000 iterations: at most 10000000 are accepted'
    ],
    ['asks for a number that is none', SERVER_FIRST.replace('4096', '99999999999'), 'its challenge is not one of SCRAM-SHA-256'],
    ['refuses', 'e=unknown-user', 'it answered unknown-user'],
    ['refuses in words of its own', 'e=pencil is wrong', 'it answered with an error of its own']
  ])('is refused when it %s', async (_name, challenge, message) => {
    const client = rfcClient()
    client.begin()
    const answer = client.respond(challenge === undefined ? undefined : bytes(challenge))
    await expect(answer).rejects.toMatchObject({
      code: 'authentication-failed',
      message: `SCRAM with the server failed: ${message}`
    })
  })

  test.each([
    ['proves nothing', undefined, 'it did not prove that it knows this user'],
    ['sends something else', 'ok', 'it did not prove that it knows this user'],
    ['signs wrongly', SERVER_FINAL.replace('6rri', '7rri'), 'its signature is wrong'],
    ['refuses', 'e=invalid-proof', 'it answered invalid-proof']
  ])('is refused when it %s in the end', async (_name, final, message) => {
    const client = await challenged()
    expect(() => client.finish(final === undefined ? undefined : bytes(final))).toThrow(
      `SCRAM with the server failed: ${message}`
    )
  })

  test('is refused when it is done before it has proved anything, also when a client comes back', async () => {
    const client = await challenged()
    client.begin()
    expect(() => client.finish(bytes(SERVER_FINAL))).toThrow('it wants to be done before it has proved anything')
  })

  test('is refused when it goes on asking', async () => {
    const client = await challenged()
    await expect(client.respond(bytes(SERVER_FIRST))).rejects.toThrow('it continued when there was nothing left to ask')
  })

  test('gets neither password nor keys from any error', async () => {
    const client = await challenged()
    const messages: string[] = []
    for (const data of ['', 'pencil', SERVER_FINAL.toLowerCase()]) {
      try {
        client.finish(bytes(data))
      } catch (error) {
        messages.push(String(error))
      }
    }
    expect(messages).toHaveLength(3)
    for (const message of messages) {
      expect(message).not.toContain('pencil')
      expect(message).not.toContain(SERVER_FINAL.slice(2))
    }
  })

  test("iterations are the application's to choose", async () => {
    const client = rfcClient({ minimumIterations: 1, maximumIterations: 4_095 })
    client.begin()
    await expect(client.respond(bytes(SERVER_FIRST))).rejects.toThrow('it asks for 4096 iterations: at most 4095 are accepted')
    client.begin()
    await expect(client.respond(bytes(SERVER_FIRST.replace('4096', '1')))).resolves.toBeInstanceOf(Uint8Array)
  })
})

describe('the SCRAM server of these tests', () => {
  const server = scramServer({ 'pump,7': 'correct horse' })

  async function exchanged(userName: string, password: string): Promise<unknown> {
    const client = scramSha256({ userName, password })
    const exchange = server.enhancedAuthentication('SCRAM-SHA-256')
    const challenge = await exchange?.next(await client.begin())
    if (challenge?.status !== 'continue') return challenge
    const verdict = await exchange?.next(await client.respond(challenge.data))
    if (verdict?.status === 'done' && verdict.accepted) await client.finish(verdict.data)
    return verdict
  }

  test('accepts whoever knows the password, and proves itself', async () => {
    expect(await exchanged('pump,7', 'correct horse')).toMatchObject({ accepted: true, userName: 'pump,7' })
  })

  test('refuses whoever does not, and a method that it does not know', async () => {
    expect(await exchanged('pump,7', 'battery staple')).toMatchObject({ accepted: false, reasonString: 'wrong password' })
    expect(await exchanged('pump,8', 'correct horse')).toMatchObject({ accepted: false, reasonString: 'unknown user' })
    expect(server.enhancedAuthentication('SCRAM-SHA-1')).toBeUndefined()
  })
})
