import type { Authenticator } from '@godwit/client'
import { PacketType, ReasonCode } from '@godwit/protocol'
import { auth, outcome } from '@godwit/testkit'
import { expect } from 'vitest'
import { isDisconnected, rejection, served } from '../client-scenario.test.support.ts'

const { ContinueAuthentication, ReAuthenticate, Success } = ReasonCode
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Asks and answers by counting; what the server says at the end has to be `done`. */
function counting(): Authenticator {
  let count = 0
  return {
    method: 'COUNT',
    begin: () => bytes(`begin ${++count}`),
    respond: async (data) => bytes(`${new TextDecoder().decode(data)} ${++count}`),
    finish: (data) => {
      if (new TextDecoder().decode(data) !== 'done') throw new Error('the server is not what it says')
    }
  }
}

served(
  '[5.0 MQTT-3.1.2-30] [5.0 MQTT-4.12.0-3] [5.0 MQTT-4.12.0-5] before CONNACK there is nothing but AUTH, each with the method of CONNECT',
  async ({ opens, isCalled }) => {
    const client = await opens({ authentication: counting() })
    void client.publish('waits', '')
    const server = await isCalled()
    const { properties } = await server.receivesConnect()
    expect(properties).toMatchObject({ authenticationMethod: 'COUNT', authenticationData: bytes('begin 1') })
    await server.receivesNothing()
    for (const count of [2, 3]) {
      await server.sends(auth(ContinueAuthentication, { authenticationMethod: 'COUNT', authenticationData: bytes('go') }))
      await server.receives({
        type: PacketType.Auth,
        reasonCode: ContinueAuthentication,
        properties: { authenticationMethod: 'COUNT', authenticationData: bytes(`go ${count}`) }
      })
      await server.receivesNothing()
    }
    await server.accepts({ authenticationMethod: 'COUNT', authenticationData: bytes('done') })
    expect(client.state).toBe('connected')
    await server.receives({ type: PacketType.Publish, topicName: 'waits' })
  }
)

for (const [what, properties] of [
  ['without the method', {}],
  ['with another method', { authenticationMethod: 'OTHER', authenticationData: bytes('done') }],
  ['without the proof', { authenticationMethod: 'COUNT', authenticationData: bytes('nonsense') }]
] as const) {
  served(`[5.0 MQTT-4.12.0-5] a CONNACK ${what} is not accepted`, async ({ opens, isCalled }) => {
    const client = await opens({ authentication: counting(), reconnect: false })
    const server = await isCalled()
    await server.accepts(properties)
    server.ignoresTheRest()
    expect(await rejection(client.ready)).toMatchObject({ code: 'authentication-failed' })
    expect(client.state).toBe('closed')
  })
}

served('[5.0 MQTT-4.12.0-5] an AUTH with another method ends the connection', async ({ opens, isCalled }) => {
  const client = await opens({ authentication: counting(), reconnect: false })
  const server = await isCalled()
  await server.receivesConnect()
  await server.sends(auth(ContinueAuthentication, { authenticationMethod: 'OTHER' }))
  await server.isClosed()
  expect(await rejection(client.ready)).toMatchObject({ code: 'authentication-failed' })
})

served('[5.0 MQTT-4.12.0-7] a client without a method sends no AUTH, and takes none', async ({ connects }) => {
  const [, server] = await connects()
  expect(server.connect.properties.authenticationMethod).toBeUndefined()
  await server.sends(auth(ContinueAuthentication, { authenticationMethod: 'COUNT' }))
  await isDisconnected(server, ReasonCode.ProtocolError)
})

served('[5.0 MQTT-4.12.1-1] [5.0 MQTT-4.12.0-3] authenticating anew keeps the method', async ({ connects }) => {
  const [client, server] = await connects(
    { authentication: counting() },
    { authenticationMethod: 'COUNT', authenticationData: bytes('done') }
  )
  const done = client.reauthenticate()
  await server.receives({
    type: PacketType.Auth,
    reasonCode: ReAuthenticate,
    properties: { authenticationMethod: 'COUNT', authenticationData: bytes('begin 2') }
  })
  await server.sends(auth(ContinueAuthentication, { authenticationMethod: 'COUNT', authenticationData: bytes('go') }))
  await server.receives({ type: PacketType.Auth, reasonCode: ContinueAuthentication })
  void client.publish('goes on', '')
  await server.receives({ type: PacketType.Publish, topicName: 'goes on' })
  expect(await outcome(done)).toEqual({ is: 'pending' })
  await server.sends(auth(Success, { authenticationMethod: 'COUNT', authenticationData: bytes('done') }))
  expect(await outcome(done)).toMatchObject({ is: 'resolved' })
  expect(client.state).toBe('connected')
})

served('[5.0 MQTT-4.12.1-2] when that fails, the connection ends', async ({ connects, isCalledAgain }) => {
  const [client, server] = await connects(
    { authentication: counting() },
    { authenticationMethod: 'COUNT', authenticationData: bytes('done') }
  )
  const done = client.reauthenticate()
  done.catch(() => undefined)
  await server.receives({ type: PacketType.Auth, reasonCode: ReAuthenticate })
  await server.sends(auth(Success, { authenticationMethod: 'COUNT', authenticationData: bytes('nonsense') }))
  server.ignoresTheRest()
  expect(await rejection(done)).toMatchObject({ code: 'authentication-failed', message: 'the server is not what it says' })
  expect(client.state).toBe('waiting')
  await (await isCalledAgain()).accepts({ authenticationMethod: 'COUNT', authenticationData: bytes('done') })
})

served('[5.0 MQTT-3.15.2-1] an AUTH with a code that it does not have ends the connection', async ({ connects }) => {
  const [, server] = await connects(
    { authentication: counting() },
    { authenticationMethod: 'COUNT', authenticationData: bytes('done') }
  )
  await server.sendsBytes('f0 02 17 00')
  const { reasonCode } = await server.receives({ type: PacketType.Disconnect })
  expect([ReasonCode.ProtocolError, ReasonCode.MalformedPacket]).toContain(reasonCode)
  await server.isClosed()
})

served(
  '[5.0 MQTT-3.15.2-1] [5.0 MQTT-3.15.2-2] [5.0 MQTT-3.15.2-3] an AUTH of ours has its code, and no Reason String or User Property',
  async ({ connects }) => {
    const [client, server] = await connects(
      { authentication: counting() },
      { authenticationMethod: 'COUNT', authenticationData: bytes('done'), maximumPacketSize: 30 }
    )
    void client.reauthenticate().catch(() => undefined)
    const { properties } = await server.receives({ type: PacketType.Auth, reasonCode: ReAuthenticate })
    expect(Object.keys(properties).filter((name) => !name.startsWith('authentication'))).toEqual([])
    server.ignoresTheRest()
  }
)
