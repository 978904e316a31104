import { PacketType, ReasonCode } from '@godwit/protocol'
import { auth, outcome } from '@godwit/testkit'
import { expect } from 'vitest'
import type { Authenticator } from './authenticator.ts'
import { served } from './client-scenario.test.support.ts'

const ACCEPTS = { authenticationMethod: 'M' }
const rejected = (code: string) => ({ is: 'rejected', error: { name: 'ClientError', code } })

function authenticator(begin: Authenticator['begin'] = () => undefined): Authenticator {
  return { method: 'M', begin, respond: (data) => data, finish: () => undefined }
}

served('two who ask at once are answered by one exchange', async ({ connects }) => {
  const [client, server] = await connects({ authentication: authenticator() }, ACCEPTS)
  const both = Promise.all([client.reauthenticate(), client.reauthenticate()])
  await server.receives({ type: PacketType.Auth, reasonCode: ReasonCode.ReAuthenticate })
  await server.receivesNothing()
  await server.sends(auth(ReasonCode.Success, ACCEPTS))
  expect(await outcome(both)).toMatchObject({ is: 'resolved' })
  void client.reauthenticate().catch(() => undefined)
  await server.receives({ type: PacketType.Auth, reasonCode: ReasonCode.ReAuthenticate })
})

served(
  'an authenticator that fails ends the connection; the next one may do better',
  async ({ connects, isCalledAgain, settles }) => {
    let calls = 0
    const begin = (): undefined => {
      if (++calls === 2) throw new Error('no token at hand')
    }
    const [client, server] = await connects({ authentication: authenticator(begin) }, ACCEPTS)
    const failing = client.reauthenticate()
    failing.catch(() => undefined)
    await settles()
    expect(await outcome(failing)).toMatchObject({ ...rejected('authentication-failed'), error: { message: 'no token at hand' } })
    await server.isClosed()
    const again = await isCalledAgain()
    await again.accepts({ ...ACCEPTS, sessionPresent: true })
    const done = client.reauthenticate()
    await again.receives({ type: PacketType.Auth, reasonCode: ReasonCode.ReAuthenticate })
    await again.sends(auth(ReasonCode.Success, ACCEPTS))
    expect(await outcome(done)).toMatchObject({ is: 'resolved' })
  }
)

served(
  'a connection that is lost meanwhile says so, also while the authenticator is at work',
  async ({ connects, isCalledAgain, settles }) => {
    const work = Promise.withResolvers<undefined>()
    let calls = 0
    const begin = (): Promise<undefined> | undefined => (++calls === 2 ? work.promise : undefined)
    const [client, server] = await connects({ authentication: authenticator(begin) }, ACCEPTS)
    const lost = client.reauthenticate()
    lost.catch(() => undefined)
    await server.breaks()
    work.resolve(undefined)
    await settles()
    expect(await outcome(lost)).toMatchObject(rejected('connection-lost'))
    expect(await outcome(client.reauthenticate())).toMatchObject(rejected('connection-lost'))
    await (await isCalledAgain()).accepts({ ...ACCEPTS, sessionPresent: true })
  }
)

served('a client without an authenticator cannot', async ({ connects }) => {
  const [client] = await connects()
  expect(await outcome(client.reauthenticate())).toMatchObject(rejected('invalid-argument'))
})

served('a server that begins an authentication itself is left', async ({ connects, isCalledAgain }) => {
  const [client, server] = await connects({ authentication: authenticator() }, ACCEPTS)
  await server.sends(auth(ReasonCode.ContinueAuthentication, ACCEPTS))
  await server.receives({ type: PacketType.Disconnect, reasonCode: ReasonCode.ProtocolError })
  await server.isClosed()
  await (await isCalledAgain()).accepts({ ...ACCEPTS, sessionPresent: true })
  expect(client.state).toBe('connected')
})
