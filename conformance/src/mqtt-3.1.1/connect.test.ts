import { ConnectReturnCode, PacketType, PINGREQ } from '@godwit/protocol'
import { connect, disconnect, publish, scenario, type Scenario, subscribe } from '@godwit/testkit'
import { expect } from 'vitest'
import { connectBytes, ConnectFlag, type ConnectParts, text } from '../connect-bytes.ts'

const { CleanStart, Will, WillQoS1, WillQoS2, WillRetain, UserName, Password, Reserved } = ConnectFlag

/** The network connection is closed without CONNACK ([3.1.1 MQTT-3.1.4-1]). */
async function closesOn({ raw }: Pick<Scenario, 'raw'>, parts: ConnectParts): Promise<void> {
  const client = await raw({ version: 4 })
  await client.sendsBytes(connectBytes({ version: 4, properties: '', ...parts }))
  await client.isClosed()
}

scenario('[3.1.1 MQTT-3.1.0-1] any other packet before CONNECT closes the connection unanswered', async ({ raw, broker }) => {
  for (const packet of [publish('t'), publish('t', '', { qos: 1 }), subscribe(1, ['t']), PINGREQ, disconnect()]) {
    const client = await raw({ version: 4 })
    await client.sends(packet)
    await client.isClosed()
  }
  expect(broker.running.counts).toMatchObject({ sessions: 0, published: 0 })
})

scenario('[3.1.1 MQTT-3.1.0-2] a second CONNECT closes the connection and is not acted upon', async ({ connects, broker }) => {
  for (const clientId of ['a', 'b']) {
    const client = await connects({ version: 4, clientId: 'a' })
    await client.sends(connect({ version: 4, clientId, cleanStart: false, will: { topicName: 't' } }))
    await client.isClosed()
  }
  expect(broker.running.counts.sessions).toBe(0)
})

for (const protocolName of ['mqtt', 'MQTt', 'MQT', 'MQTTX', '', 'MQIsdpX', 'HTTP']) {
  scenario(
    `[3.1.1 MQTT-3.1.2-1] the protocol name "${protocolName}" is not taken for MQTT: closed without CONNACK`,
    async ({ raw, broker }) => {
      await closesOn({ raw }, { protocolName })
      expect(broker.running.counts.sessions).toBe(0)
    }
  )
}

for (const version of [0, 1, 2, 3]) {
  scenario(`[3.1.1 MQTT-3.1.2-2] protocol level ${version} gets CONNACK 0x01, then the connection is closed`, async ({ raw }) => {
    const client = await raw({ version: 4 })
    await client.sendsBytes(connectBytes({ version, properties: '' }))
    await client.receivesBytes('20 02 00 01')
    await client.isClosed()
  })
}

scenario('[3.1.1 MQTT-3.1.2-3] the reserved connect flag closes the connection', async ({ raw }) => {
  await closesOn({ raw }, { flags: CleanStart | Reserved })
  await closesOn({ raw }, { flags: Reserved })
})

scenario('[3.1.1 MQTT-3.1.2-9] the Will Flag asks for a Will Topic and a Will Message', async ({ raw }) => {
  for (const payload of [text('a'), `${text('a')}${text('t')}`, `${text('a')}${text('t')}0004 61`]) {
    await closesOn({ raw }, { flags: CleanStart | Will, payload })
  }
  const client = await raw({ version: 4 })
  const payload = `${text('a')}${text('t')}${text('')}`
  await client.sendsBytes(connectBytes({ version: 4, properties: '', flags: CleanStart | Will, payload }))
  await client.receivesBytes('20 02 00 00')
})

scenario('[3.1.1 MQTT-3.1.2-11] without the Will Flag, will fields close the connection', async ({ raw }) => {
  await closesOn({ raw }, { payload: `${text('a')}${text('t')}${text('gone')}` })
})

scenario(
  '[3.1.1 MQTT-3.1.2-13] [3.1.1 MQTT-3.1.2-11] without the Will Flag, a Will QoS closes the connection',
  async ({ raw }) => {
    for (const willQoS of [WillQoS1, WillQoS2, WillQoS1 | WillQoS2]) await closesOn({ raw }, { flags: CleanStart | willQoS })
  }
)

scenario('[3.1.1 MQTT-3.1.2-14] Will QoS 3 closes the connection', async ({ raw }) => {
  const payload = `${text('a')}${text('t')}${text('gone')}`
  await closesOn({ raw }, { flags: CleanStart | Will | WillQoS1 | WillQoS2, payload })
})

scenario(
  '[3.1.1 MQTT-3.1.2-15] [3.1.1 MQTT-3.1.2-11] without the Will Flag, Will Retain closes the connection',
  async ({ raw }) => {
    await closesOn({ raw }, { flags: CleanStart | WillRetain })
  }
)

scenario('[3.1.1 MQTT-3.1.2-18] a user name without its flag closes the connection', async ({ raw }) => {
  await closesOn({ raw }, { payload: `${text('a')}${text('user')}` })
})

scenario('[3.1.1 MQTT-3.1.2-19] the User Name Flag without a user name closes the connection', async ({ raw }) => {
  await closesOn({ raw }, { flags: CleanStart | UserName })
})

scenario('[3.1.1 MQTT-3.1.2-20] a password without its flag closes the connection', async ({ raw }) => {
  const payload = `${text('a')}${text('user')}${text('secret')}`
  await closesOn({ raw }, { flags: CleanStart | UserName, payload })
})

scenario('[3.1.1 MQTT-3.1.2-21] the Password Flag without a password closes the connection', async ({ raw }) => {
  await closesOn({ raw }, { flags: CleanStart | UserName | Password, payload: `${text('a')}${text('user')}` })
})

scenario('[3.1.1 MQTT-3.1.2-22] a password without a user name closes the connection', async ({ raw }) => {
  await closesOn({ raw }, { flags: CleanStart | Password, payload: `${text('a')}${text('secret')}` })
})

scenario(
  '[3.1.1 MQTT-3.1.3-1] ClientId, Will Topic, Will Message, user name and password are read in this order',
  async ({ raw, connects, broker }) => {
    const seen: unknown[] = []
    await broker.restarts({
      authenticate: ({ clientId, userName, password, keepAliveSeconds }) => {
        seen.push([clientId, userName, password === undefined ? undefined : Buffer.from(password).toString(), keepAliveSeconds])
        return { accepted: true }
      }
    })
    const watcher = await connects({ version: 4, clientId: 'watcher' })
    await watcher.subscribes('w', { qos: 2 })
    const client = await raw({ version: 4 })
    const flags = CleanStart | Will | WillQoS2 | UserName | Password
    const payload = ['c', 'w', 'gone', 'user', 'secret'].map(text).join('')
    await client.sendsBytes(connectBytes({ version: 4, properties: '', flags, payload }))
    await client.receivesBytes('20 02 00 00')
    expect(seen).toEqual([
      ['watcher', undefined, undefined, 0],
      ['c', 'user', 'secret', 0]
    ])
    await client.dropsConnection()
    await watcher.receives({ type: PacketType.Publish, topicName: 'w', payload: 'gone', qos: 2 })
  }
)

scenario('[3.1.1 MQTT-3.1.3-3] a CONNECT without the ClientId field closes the connection', async ({ raw }) => {
  await closesOn({ raw }, { payload: '' })
  await closesOn({ raw }, { payload: '0002 61' })
})

scenario('[3.1.1 MQTT-3.1.4-1] a CONNECT cut short anywhere closes the connection without CONNACK', async ({ raw }) => {
  const flags = CleanStart | Will | UserName | Password
  const whole = connectBytes({ version: 4, properties: '', flags, payload: ['c', 'w', 'm', 'u', 'p'].map(text).join('') })
  for (let length = 8; length < whole.byteLength; length++) {
    const client = await raw({ version: 4 })
    const cut = Buffer.from(whole.subarray(0, length))
    cut[1] = length - 2
    await client.sendsBytes(cut)
    await client.isClosed()
  }
})

scenario('[3.1.1 MQTT-3.1.4-1] bytes behind the fields of a CONNECT close the connection without CONNACK', async ({ raw }) => {
  await closesOn({ raw }, { payload: `${text('a')}00` })
})

scenario('[3.1.1 MQTT-3.1.4-5] nothing that follows a refused CONNECT is processed', async ({ raw, connects, broker }) => {
  await broker.restarts({ authenticate: ({ clientId }) => ({ accepted: clientId !== 'stranger' }) })
  const watcher = await connects({ version: 4, clientId: 'watcher' })
  await watcher.subscribes('#')
  const stranger = await raw({ version: 4 })
  await stranger.sends(
    connect({ version: 4, clientId: 'stranger' }),
    publish('t', 'unheard'),
    publish('t', 'unheard', { qos: 1, retain: true }),
    subscribe(1, ['t'])
  )
  await stranger.receives({ type: PacketType.Connack, sessionPresent: false, reasonCode: ConnectReturnCode.NotAuthorized })
  await stranger.isClosed()
  await watcher.receivesNothing()
  expect(broker.running.counts).toMatchObject({ sessions: 1, retainedMessages: 0, published: 0 })
})

scenario(
  '[3.1.1 3.1.4] what a client sends right behind its CONNECT is processed once it is accepted',
  async ({ raw, broker }) => {
    const decision = Promise.withResolvers<{ readonly accepted: true }>()
    await broker.restarts({ authenticate: () => decision.promise })
    const hasty = await raw({ version: 4 })
    await hasty.sends(connect({ version: 4, clientId: 'hasty', cleanStart: false }), subscribe(1, ['t']), publish('t', 'soon'))
    await hasty.receivesNothing()
    decision.resolve({ accepted: true })
    await hasty.receives({ type: PacketType.Connack, sessionPresent: false, reasonCode: ConnectReturnCode.Accepted })
    await hasty.receivesInAnyOrder(
      { type: PacketType.Suback, packetIdentifier: 1, reasonCodes: [0] },
      { type: PacketType.Publish, topicName: 't', payload: 'soon' }
    )
  }
)
