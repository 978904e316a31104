import { PacketType, PINGREQ, ReasonCode } from '@godwit/protocol'
import { auth, connect, disconnect, publish, scenario, type Scenario, subscribe } from '@godwit/testkit'
import { expect } from 'vitest'
import { connectBytes, ConnectFlag, type ConnectParts, text } from '../connect-bytes.ts'

/** The CONNECT is answered with CONNACK and this Reason Code, and the network connection closed. */
async function refusesBytes({ raw }: Pick<Scenario, 'raw'>, parts: ConnectParts, reasonCode: number): Promise<void> {
  const client = await raw()
  await client.sendsBytes(connectBytes(parts))
  const connack = await client.receives({ type: PacketType.Connack, sessionPresent: false })
  expect(connack.reasonCode).toBe(reasonCode)
  await client.isClosed()
}

scenario('[5.0 MQTT-3.1.0-1] any other packet before CONNECT closes the network connection', async ({ raw }) => {
  const packets = [
    publish('t'),
    subscribe(1, ['t']),
    PINGREQ,
    disconnect(),
    auth(ReasonCode.ReAuthenticate, { authenticationMethod: 'm' })
  ]
  for (const packet of packets) {
    const client = await raw()
    await client.sends(packet)
    await client.isClosed()
  }
})

scenario('[5.0 MQTT-3.1.0-2] a second CONNECT is a Protocol Error', async ({ connects }) => {
  const client = await connects({ clientId: 'a' })
  await client.sends(connect({ clientId: 'a' }))
  await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
})

scenario('[5.0 MQTT-3.1.0-2] a second CONNECT is not acted upon, even with another ClientID', async ({ connects, broker }) => {
  const client = await connects({ clientId: 'a' })
  await client.sends(connect({ clientId: 'b', sessionExpirySeconds: 100, will: { topicName: 't' } }))
  await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
  expect(broker.running.counts.sessions).toBe(0)
})

for (const protocolName of ['mqtt', 'MQTt', 'MQT', 'MQTTX', '', 'MQIsdpX', 'HTTP']) {
  scenario(`[5.0 MQTT-3.1.2-1] the protocol name "${protocolName}" is not MQTT: closed without an answer`, async ({ raw }) => {
    const client = await raw()
    await client.sendsBytes(connectBytes({ protocolName }))
    await client.isClosed()
  })
}

for (const version of [6, 7, 127]) {
  scenario(`[5.0 MQTT-3.1.2-2] protocol version ${version} is refused with CONNACK 0x84`, async ({ raw }) => {
    await refusesBytes({ raw }, { version }, ReasonCode.UnsupportedProtocolVersion)
  })
}

scenario('[5.0 MQTT-3.1.2-2] a version is refused before the rest of the CONNECT is looked at', async ({ raw }) => {
  await refusesBytes({ raw }, { version: 6, flags: 0xff, payload: 'ff' }, ReasonCode.UnsupportedProtocolVersion)
})

scenario('[5.0 MQTT-3.1.2-3] the reserved Connect Flag is malformed', async ({ raw }) => {
  await refusesBytes({ raw }, { flags: ConnectFlag.CleanStart | ConnectFlag.Reserved }, ReasonCode.MalformedPacket)
  await refusesBytes({ raw }, { flags: ConnectFlag.Reserved }, ReasonCode.MalformedPacket)
})

scenario('[5.0 MQTT-3.1.2-9] the Will Flag asks for Will Properties, Will Topic and Will Payload', async ({ raw }) => {
  const flags = ConnectFlag.CleanStart | ConnectFlag.Will
  for (const payload of [text('a'), `${text('a')} 00`, `${text('a')} 00 ${text('t')}`]) {
    await refusesBytes({ raw }, { flags, payload }, ReasonCode.MalformedPacket)
  }
  const client = await raw()
  await client.sendsBytes(connectBytes({ flags, payload: `${text('a')} 00 ${text('t')} ${text('gone')}` }))
  await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.Success })
})

scenario('[5.0 MQTT-3.1.2-9] without the Will Flag, will fields are malformed', async ({ raw }) => {
  await refusesBytes({ raw }, { payload: `${text('a')} 00 ${text('t')} ${text('gone')}` }, ReasonCode.MalformedPacket)
})

scenario('[5.0 MQTT-3.1.2-11] without the Will Flag, a Will QoS is malformed', async ({ raw }) => {
  for (const willQoS of [ConnectFlag.WillQoS1, ConnectFlag.WillQoS2, ConnectFlag.WillQoS1 | ConnectFlag.WillQoS2]) {
    await refusesBytes({ raw }, { flags: ConnectFlag.CleanStart | willQoS }, ReasonCode.MalformedPacket)
  }
})

scenario('[5.0 MQTT-3.1.2-12] Will QoS 3 is malformed', async ({ raw }) => {
  const flags = ConnectFlag.CleanStart | ConnectFlag.Will | ConnectFlag.WillQoS1 | ConnectFlag.WillQoS2
  await refusesBytes({ raw }, { flags, payload: `${text('a')} 00 ${text('t')} ${text('')}` }, ReasonCode.MalformedPacket)
})

scenario('[5.0 MQTT-3.1.2-13] without the Will Flag, Will Retain is malformed', async ({ raw }) => {
  await refusesBytes({ raw }, { flags: ConnectFlag.CleanStart | ConnectFlag.WillRetain }, ReasonCode.MalformedPacket)
})

scenario('[5.0 MQTT-3.1.2-16] a User Name without its flag is malformed', async ({ raw }) => {
  await refusesBytes({ raw }, { payload: `${text('a')} ${text('user')}` }, ReasonCode.MalformedPacket)
})

scenario('[5.0 MQTT-3.1.2-17] the User Name Flag without a User Name is malformed', async ({ raw }) => {
  await refusesBytes({ raw }, { flags: ConnectFlag.CleanStart | ConnectFlag.UserName }, ReasonCode.MalformedPacket)
})

scenario('[5.0 MQTT-3.1.2-18] a Password without its flag is malformed', async ({ raw }) => {
  const flags = ConnectFlag.CleanStart | ConnectFlag.UserName
  await refusesBytes({ raw }, { flags, payload: `${text('a')} ${text('user')} ${text('secret')}` }, ReasonCode.MalformedPacket)
})

scenario('[5.0 MQTT-3.1.2-19] the Password Flag without a Password is malformed', async ({ raw }) => {
  const flags = ConnectFlag.CleanStart | ConnectFlag.UserName | ConnectFlag.Password
  await refusesBytes({ raw }, { flags, payload: `${text('a')} ${text('user')}` }, ReasonCode.MalformedPacket)
})

scenario(
  '[5.0 MQTT-3.1.3-1] ClientID, will, User Name and Password are read in this order',
  async ({ raw, connects, broker }) => {
    const seen: unknown[] = []
    await broker.restarts({
      authenticate: ({ clientId, userName, password }) => {
        seen.push([clientId, userName, password === undefined ? undefined : Buffer.from(password).toString()])
        return { accepted: true }
      }
    })
    const watcher = await connects({ clientId: 'watcher' })
    await watcher.subscribes('will/#')
    const { CleanStart, Will, UserName, Password } = ConnectFlag
    const will = `00 ${text('will/a')} ${text('gone')}`
    const client = await raw()
    const payload = `${text('a')} ${will} ${text('user')} ${text('secret')}`
    await client.sendsBytes(connectBytes({ flags: CleanStart | Will | UserName | Password, payload }))
    await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.Success })
    expect(seen).toEqual([
      ['watcher', undefined, undefined],
      ['a', 'user', 'secret']
    ])
    await client.dropsConnection()
    await watcher.receives({ type: PacketType.Publish, topicName: 'will/a', payload: 'gone' })
  }
)

scenario('[5.0 MQTT-3.1.3-3] a CONNECT without a ClientID field is malformed', async ({ raw }) => {
  await refusesBytes({ raw }, { payload: '' }, ReasonCode.MalformedPacket)
  await refusesBytes({ raw }, { payload: '00' }, ReasonCode.MalformedPacket)
})

scenario('[5.0 MQTT-3.1.3-4] a ClientID that is not well-formed UTF-8 is malformed', async ({ raw }) => {
  await refusesBytes({ raw }, { payload: '00 02 61 ff' }, ReasonCode.MalformedPacket)
  await refusesBytes({ raw }, { payload: '00 03 ed a0 80' }, ReasonCode.MalformedPacket)
})

scenario('[5.0 MQTT-3.1.3-11] a Will Topic that is not well-formed UTF-8 is malformed', async ({ raw }) => {
  const flags = ConnectFlag.CleanStart | ConnectFlag.Will
  await refusesBytes({ raw }, { flags, payload: `${text('a')} 00 00 02 61 ff ${text('')}` }, ReasonCode.MalformedPacket)
})

scenario('[5.0 MQTT-3.1.3-12] a User Name that is not well-formed UTF-8 is malformed', async ({ raw }) => {
  const flags = ConnectFlag.CleanStart | ConnectFlag.UserName
  await refusesBytes({ raw }, { flags, payload: `${text('a')} 00 02 61 ff` }, ReasonCode.MalformedPacket)
})

scenario('a Password may be any bytes, and may come without a User Name [5.0 3.1.2.9]', async ({ raw, broker }) => {
  const passwords: (Uint8Array | undefined)[] = []
  await broker.restarts({
    authenticate: ({ password }) => {
      passwords.push(password === undefined ? undefined : new Uint8Array(password))
      return { accepted: true }
    }
  })
  const client = await raw()
  await client.sendsBytes(
    connectBytes({ flags: ConnectFlag.CleanStart | ConnectFlag.Password, payload: `${text('a')} 00 02 00 ff` })
  )
  await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.Success })
  expect(passwords).toEqual([new Uint8Array([0, 255])])
})

for (const [what, parts] of [
  ['a field too many', { payload: `${text('a')} 00` }],
  ['a ClientID longer than the packet', { payload: '00 05 61' }],
  ['properties longer than the packet', { properties: '20' }],
  ['a property of another packet', { properties: '03 23 00 01' }],
  ['a property that does not exist', { properties: '02 7f 00' }]
] as const) {
  scenario(`[5.0 MQTT-3.1.4-1] a CONNECT with ${what} is refused as malformed`, async ({ raw }) => {
    await refusesBytes({ raw }, parts, ReasonCode.MalformedPacket)
  })
}

for (const [what, properties] of [
  ['Receive Maximum 0', '03 21 00 00'],
  ['Maximum Packet Size 0', '05 27 00 00 00 00'],
  ['Session Expiry Interval twice', '0a 11 00 00 00 01 11 00 00 00 01'],
  ['Request Problem Information 2', '02 17 02'],
  ['Request Response Information 2', '02 19 02'],
  ['Authentication Data without a Method', '04 16 00 01 78']
] as const) {
  scenario(`[5.0 MQTT-3.1.4-1] a CONNECT with ${what} is refused as a Protocol Error`, async ({ raw }) => {
    await refusesBytes({ raw }, { properties }, ReasonCode.ProtocolError)
  })
}

scenario(
  '[5.0 MQTT-3.1.4-2] a client that the application does not let in gets its reason, and is closed',
  async ({ refuses, broker }) => {
    await broker.restarts({
      authenticate: ({ userName }) => ({
        accepted: userName === 'good',
        reasonCode: ReasonCode.BadUserNameOrPassword,
        reasonString: 'who?'
      })
    })
    const connack = await refuses({ clientId: 'a', userName: 'bad', password: 'x' }, ReasonCode.BadUserNameOrPassword)
    expect(connack?.properties).toEqual({ reasonString: 'who?' })
    expect(broker.running.counts).toMatchObject({ clients: 0, sessions: 0 })
  }
)

scenario('[5.0 MQTT-3.1.4-5] a CONNECT that is accepted is answered with CONNACK 0x00', async ({ raw }) => {
  const client = await raw()
  await client.sends(connect({ clientId: 'a' }))
  await client.receives({ type: PacketType.Connack, sessionPresent: false, reasonCode: ReasonCode.Success })
  await client.receivesNothing()
})

scenario('[5.0 MQTT-3.1.4-5] packets sent behind CONNECT without waiting are handled after it, in order', async ({ raw }) => {
  const client = await raw()
  await client.sends(connect({ clientId: 'a' }), subscribe(1, ['t']), publish('t', 'hasty'), PINGREQ)
  await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.Success })
  await client.receives({ type: PacketType.Suback, packetIdentifier: 1, reasonCodes: [0] })
  await client.receives({ type: PacketType.Publish, topicName: 't', payload: 'hasty' })
  await client.receives({ type: PacketType.Pingresp })
})

scenario('[5.0 MQTT-3.1.4-6] what follows a CONNECT that is refused is not handled', async ({ raw, connects, broker }) => {
  await broker.restarts({ authenticate: ({ clientId }) => ({ accepted: clientId === 'watcher' }) })
  const watcher = await connects({ clientId: 'watcher' })
  await watcher.subscribes('#')
  const client = await raw()
  await client.sends(connect({ clientId: 'a' }), subscribe(1, ['t']), publish('t', 'unheard', { retain: true }), PINGREQ)
  await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.NotAuthorized })
  await client.isClosed()
  await watcher.receivesNothing()
  expect(broker.running.counts).toMatchObject({ clients: 1, subscriptions: 1, retainedMessages: 0 })
})

scenario('[5.0 MQTT-3.1.4-6] nor what follows one whose refusal takes its time', async ({ raw, connects, broker, settles }) => {
  const verdict = Promise.withResolvers<{ readonly accepted: false }>()
  await broker.restarts({ authenticate: ({ clientId }) => (clientId === 'watcher' ? { accepted: true } : verdict.promise) })
  const watcher = await connects({ clientId: 'watcher' })
  await watcher.subscribes('#')
  const client = await raw()
  await client.sends(connect({ clientId: 'a' }), publish('t', 'unheard'))
  await client.receivesNothing()
  verdict.resolve({ accepted: false })
  await settles()
  await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.NotAuthorized })
  await client.isClosed()
  await watcher.receivesNothing()
})
