import { PacketType, PINGREQ, ReasonCode } from '@godwit/protocol'
import { auth, connect, disconnect, publish, scenario, type ScenarioOptions, subscribe, type TestClient } from '@godwit/testkit'
import { expect } from 'vitest'

const text = (data: Uint8Array | undefined) => (data === undefined ? undefined : Buffer.from(data).toString())

/** An exchange in two steps: the client greets, is asked a question, and has to know the answer. */
const ASKING: ScenarioOptions = {
  enhancedAuthentication: (method) =>
    method !== 'ASK'
      ? undefined
      : {
          next(data) {
            const said = text(data)
            if (said === 'hello') return { status: 'continue', data: Buffer.from('question') }
            if (said === 'answer') return { status: 'done', accepted: true, data: Buffer.from('welcome') }
            return { status: 'done', accepted: false, reasonCode: ReasonCode.NotAuthorized, reasonString: 'wrong' }
          }
        }
}

const asks = (clientId: string, data: string) =>
  connect({ clientId, sessionExpirySeconds: 100, authenticationMethod: 'ASK', authenticationData: Buffer.from(data) })
const says = (data: string, reasonCode: 0x18 | 0x19 = ReasonCode.ContinueAuthentication) =>
  auth(reasonCode, { authenticationMethod: 'ASK', authenticationData: Buffer.from(data) })

const QUESTION = {
  type: PacketType.Auth,
  reasonCode: ReasonCode.ContinueAuthentication,
  properties: { authenticationMethod: 'ASK', authenticationData: new Uint8Array(Buffer.from('question')) }
} as const

async function isAuthenticated(client: TestClient, clientId: string): Promise<void> {
  await client.sends(asks(clientId, 'hello'))
  await client.receives(QUESTION)
  await client.sends(says('answer'))
  await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.Success })
}

scenario(
  '[5.0 MQTT-4.12.0-2] [5.0 MQTT-4.12.0-5] AUTH 0x18 asks for more, and every packet names the method',
  ASKING,
  async ({ raw }) => {
    const client = await raw()
    await client.sends(asks('a', 'hello'))
    await client.receives(QUESTION)
    await client.sends(says('answer'))
    const { properties } = await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.Success })
    expect(properties.authenticationMethod).toBe('ASK')
    expect(text(properties.authenticationData)).toBe('welcome')
  }
)

scenario(
  '[5.0 MQTT-4.12.0-1] an Authentication Method that the server does not know is refused with 0x8C',
  ASKING,
  async ({ refuses }) => {
    await refuses({ clientId: 'a', authenticationMethod: 'ask' }, ReasonCode.BadAuthenticationMethod)
  }
)

scenario('[5.0 MQTT-4.12.0-1] a server without methods refuses every one', async ({ refuses }) => {
  await refuses(
    { clientId: 'a', authenticationMethod: 'ASK', authenticationData: Buffer.from('hello') },
    ReasonCode.BadAuthenticationMethod
  )
})

scenario(
  '[5.0 MQTT-4.12.0-4] the server may refuse at every step: CONNACK with its reason, then close',
  ASKING,
  async ({ raw, broker }) => {
    const first = await raw()
    await first.sends(asks('a', 'nonsense'))
    await first.receives({
      type: PacketType.Connack,
      reasonCode: ReasonCode.NotAuthorized,
      properties: { reasonString: 'wrong' }
    })
    await first.isClosed()
    const second = await raw()
    await second.sends(asks('a', 'hello'))
    await second.receives(QUESTION)
    await second.sends(says('no idea'))
    await second.receives({
      type: PacketType.Connack,
      reasonCode: ReasonCode.NotAuthorized,
      properties: { reasonString: 'wrong' }
    })
    await second.isClosed()
    expect(broker.running.counts).toMatchObject({ clients: 0, sessions: 0 })
  }
)

scenario('[5.0 MQTT-4.12.0-3] a client answers AUTH with AUTH 0x18, and with nothing else', ASKING, async ({ raw }) => {
  const client = await raw()
  await client.sends(asks('a', 'hello'))
  await client.receives(QUESTION)
  await client.sends(says('answer', ReasonCode.ReAuthenticate))
  await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.ProtocolError })
  await client.isClosed()
})

scenario('[5.0 MQTT-4.12.0-5] AUTH with another method than CONNECT is a Protocol Error', ASKING, async ({ raw }) => {
  const client = await raw()
  await client.sends(asks('a', 'hello'))
  await client.receives(QUESTION)
  await client.sends(auth(ReasonCode.ContinueAuthentication, { authenticationMethod: 'OTHER' }))
  await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.ProtocolError })
  await client.isClosed()
})

scenario('[5.0 MQTT-4.12.0-6] without a method in CONNECT there is no AUTH, and none in CONNACK', ASKING, async ({ raw }) => {
  const client = await raw()
  await client.sends(connect({ clientId: 'a' }))
  const { properties } = await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.Success })
  expect(properties).not.toHaveProperty('authenticationMethod')
  expect(properties).not.toHaveProperty('authenticationData')
})

scenario(
  '[5.0 MQTT-4.12.0-7] AUTH of a client whose CONNECT named no method is a Protocol Error',
  ASKING,
  async ({ connects }) => {
    for (const reasonCode of [ReasonCode.ContinueAuthentication, ReasonCode.ReAuthenticate] as const) {
      const client = await connects()
      await client.sends(says('hello', reasonCode))
      await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
    }
  }
)

scenario(
  '[5.0 MQTT-3.1.2-30] until CONNACK a client in an exchange may send AUTH and DISCONNECT only',
  ASKING,
  async ({ raw }) => {
    for (const packet of [publish('t'), subscribe(1, ['t']), PINGREQ, asks('a', 'hello')]) {
      const client = await raw()
      await client.sends(asks('a', 'hello'))
      await client.receives(QUESTION)
      await client.sends(packet)
      await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.ProtocolError })
      await client.isClosed()
    }
    const leaves = await raw()
    await leaves.sends(asks('a', 'hello'))
    await leaves.receives(QUESTION)
    await leaves.sends(disconnect())
    await leaves.isClosed()
  }
)

scenario('[5.0 MQTT-3.2.0-1] the session is not touched before the exchange is over', ASKING, async ({ raw, broker }) => {
  const online = await raw()
  await isAuthenticated(online, 'a')
  const other = await raw()
  await other.sends(asks('a', 'hello'))
  await other.receives(QUESTION)
  await online.receivesNothing()
  await other.sends(says('wrong'))
  await other.receives({ type: PacketType.Connack, reasonCode: ReasonCode.NotAuthorized })
  await other.isClosed()
  await online.receivesNothing()
  expect(broker.running.counts.clients).toBe(1)
})

scenario(
  '[5.0 MQTT-4.12.0-5] a re-authentication ends with AUTH 0x00, and messages flow meanwhile',
  ASKING,
  async ({ raw, clock }) => {
    const client = await raw()
    await isAuthenticated(client, 'a')
    await client.sends(subscribe(1, ['t']))
    await client.receives({ type: PacketType.Suback })
    await client.sends(says('hello', ReasonCode.ReAuthenticate))
    await client.receives(QUESTION)
    await client.sends(publish('t', 'meanwhile'))
    await client.receives({ type: PacketType.Publish, payload: 'meanwhile' })
    await client.sends(says('answer'))
    const { properties } = await client.receives({ type: PacketType.Auth, reasonCode: ReasonCode.Success })
    expect(properties.authenticationMethod).toBe('ASK')
    expect(text(properties.authenticationData)).toBe('welcome')
    await clock.advancesSeconds(3600)
    await client.receivesNothing()
  }
)

scenario('[5.0 MQTT-4.12.1-1] re-authentication with another method is a Protocol Error', ASKING, async ({ raw }) => {
  const client = await raw()
  await isAuthenticated(client, 'a')
  await client.sends(auth(ReasonCode.ReAuthenticate, { authenticationMethod: 'OTHER' }))
  await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
})

scenario('[5.0 MQTT-4.12.1-2] a failed re-authentication ends the connection with DISCONNECT', ASKING, async ({ raw }) => {
  const client = await raw()
  await isAuthenticated(client, 'a')
  await client.sends(says('hello', ReasonCode.ReAuthenticate))
  await client.receives(QUESTION)
  await client.sends(says('wrong'))
  await client.isDisconnected({ reasonCode: ReasonCode.NotAuthorized, properties: { reasonString: 'wrong' } })
})

scenario(
  '[5.0 MQTT-4.12.1-2] a re-authentication that is not finished in time ends the connection',
  { ...ASKING, limits: { authenticationTimeoutSeconds: 5 } },
  async ({ raw, clock }) => {
    const client = await raw()
    await isAuthenticated(client, 'a')
    await client.sends(says('hello', ReasonCode.ReAuthenticate))
    await client.receives(QUESTION)
    await clock.advancesMs(4900)
    await client.receivesNothing()
    await clock.advancesMs(200)
    await client.isDisconnected({ reasonCode: ReasonCode.NotAuthorized })
  }
)

scenario(
  '[5.0 MQTT-4.12.1-2] AUTH 0x18 without an exchange, and 0x19 within one, are Protocol Errors',
  ASKING,
  async ({ raw }) => {
    const idle = await raw()
    await isAuthenticated(idle, 'a')
    await idle.sends(says('answer'))
    await idle.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
    const busy = await raw()
    await isAuthenticated(busy, 'b')
    await busy.sends(says('hello', ReasonCode.ReAuthenticate))
    await busy.receives(QUESTION)
    await busy.sends(says('hello', ReasonCode.ReAuthenticate))
    await busy.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
  }
)

scenario('[5.0 MQTT-3.15.1-1] AUTH with any reserved flag is malformed', ASKING, async ({ raw }) => {
  for (let flags = 1; flags < 16; flags++) {
    const client = await raw()
    await isAuthenticated(client, 'a')
    await client.sendsBytes(`f${flags.toString(16)} 08 19 06 15 00 03 41 53 4b`)
    await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  }
})

scenario(
  '[5.0 MQTT-3.15.2-1] AUTH with a code that is not of its table, or not for a client, is an error',
  ASKING,
  async ({ raw }) => {
    for (const code of ['00', '01', '17', '1a', '80', '8c', 'ff']) {
      const client = await raw()
      await isAuthenticated(client, 'a')
      await client.sendsBytes(`f0 08 ${code} 06 15 00 03 41 53 4b`)
      const { reasonCode } = await client.receives({ type: PacketType.Disconnect })
      expect([ReasonCode.MalformedPacket, ReasonCode.ProtocolError]).toContain(reasonCode)
      await client.isClosed()
    }
  }
)

scenario(
  '[5.0 MQTT-3.15.2-2] [5.0 MQTT-3.15.2-3] the server’s AUTH has what the exchange needs, and no more to leave out',
  ASKING,
  async ({ raw }) => {
    const client = await raw()
    await client.sends(
      connect({ clientId: 'a', authenticationMethod: 'ASK', authenticationData: Buffer.from('hello'), maximumPacketSize: 21 })
    )
    await client.receivesBytes('f0 13 18 11 15 00 03 41 53 4b 16 00 08 71 75 65 73 74 69 6f 6e')
  }
)

scenario(
  '[5.0 MQTT-3.1.2-24] an AUTH that does not fit the client is not sent, and the client refused in the end',
  ASKING,
  async ({ raw, clock }) => {
    const client = await raw()
    await client.sends(
      connect({ clientId: 'a', authenticationMethod: 'ASK', authenticationData: Buffer.from('hello'), maximumPacketSize: 20 })
    )
    await client.receivesNothing()
    await clock.advancesSeconds(11)
    await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.NotAuthorized, properties: {} })
    await client.isClosed()
  }
)
