import { PacketType, ProtocolVersion, ReasonCode } from '@godwit/protocol'
import { toHex } from '@godwit/testkit'
import { expect } from 'vitest'
import { isDisconnected, rejection, served } from '../client-scenario.test.support.ts'
import { packetHex } from '../packet-bytes.ts'

/** What stands before the flags of every CONNECT: the protocol's name and version. */
const HEADER = "0004 'MQTT' 05"
/** Session Expiry Interval, Receive Maximum, Maximum Packet Size, Topic Alias Maximum, Request Response Information: our defaults. */
const PROPERTIES = '[11 0000012c 21 03e8 27 01000000 22 0064 19 01]'

served(
  '[5.0 MQTT-3.1.0-1] [5.0 MQTT-3.1.2-1] [5.0 MQTT-3.1.2-16] [5.0 MQTT-3.1.2-18] [5.0 MQTT-3.1.3-3] CONNECT comes first, with the ClientID and without what was not given',
  async ({ opens, isCalled }) => {
    await opens({ clientId: 'device', keepAliveSeconds: 60 })
    const server = await isCalled()
    await server.receivesBytes(packetHex(`10 [${HEADER} 02 003c ${PROPERTIES} 0006 'device']`))
    await server.receivesNothing()
    server.ignoresTheRest()
  }
)

served(
  '[5.0 MQTT-3.1.2-9] [5.0 MQTT-3.1.2-17] [5.0 MQTT-3.1.2-19] [5.0 MQTT-3.1.3-1] the payload is ClientID, will, user name and password, in this order',
  async ({ opens, isCalled }) => {
    await opens({
      clientId: 'd',
      cleanStart: false,
      keepAliveSeconds: 0,
      userName: 'u',
      password: 'p',
      will: { topic: 'w', payload: 'x', qos: 2, retain: true, delaySeconds: 5 }
    })
    const server = await isCalled()
    const will = `[18 00000005] 0001 'w' 0001 'x'`
    await server.receivesBytes(packetHex(`10 [${HEADER} f4 0000 ${PROPERTIES} 0001 'd' ${will} 0001 'u' 0001 'p']`))
    server.ignoresTheRest()
  }
)

served('[5.0 MQTT-3.1.2-17] [5.0 MQTT-3.1.2-18] a user name may come alone', async ({ opens, isCalled }) => {
  await opens({ userName: 'u' })
  await (await isCalled()).accepts()
})

served('[5.0 MQTT-3.1.2-16] [5.0 MQTT-3.1.2-19] and so may a password', async ({ opens, isCalled }) => {
  await opens({ password: 'p' })
  const server = await isCalled()
  const { userName, password } = await server.receivesConnect()
  expect([userName, toHex(password ?? new Uint8Array())]).toEqual([undefined, '70'])
  await server.accepts()
})

for (const qos of [0, 1, 2] as const) {
  served(
    `[5.0 MQTT-3.1.2-9] [5.0 MQTT-3.1.2-12] a Will Message has the QoS ${qos} that it was given`,
    async ({ opens, isCalled }) => {
      await opens({ will: { topic: 'will', payload: { gone: true }, qos } })
      const server = await isCalled()
      const { will } = await server.receivesConnect()
      expect(will).toMatchObject({ topicName: 'will', qos, retain: false })
      await server.accepts()
    }
  )
}

served('[5.0 MQTT-3.1.2-12] a Will QoS that there is not is refused', async ({ cannotOpen, isNotCalled }) => {
  const qos: unknown = 3
  const will = { topic: 'will', payload: '' }
  Object.assign(will, { qos })
  expect(await cannotOpen({ will })).toMatchObject({
    code: 'invalid-argument',
    message: 'qos must be an integer from 0 to 2, not 3'
  })
  await isNotCalled()
})

served('[5.0 MQTT-3.1.2-11] [5.0 MQTT-3.1.2-13] without a Will Message its flags are 0', async ({ opens, isCalled }) => {
  await opens({ clientId: 'a' })
  const server = await isCalled()
  const flags = (await server.nextBytes())[9]
  expect(flags).toBe(0x02)
  server.ignoresTheRest()
})

served('[5.0 MQTT-3.1.0-1] [5.0 MQTT-3.1.2-30] what is published before CONNACK waits for it', async ({ opens, isCalled }) => {
  const client = await opens()
  const server = await isCalled()
  void client.publish('a', '')
  client.subscribe('b', {}, () => undefined)
  await server.receivesConnect()
  await server.receivesNothing()
  await server.accepts()
  await server.receives({ type: PacketType.Subscribe })
  await server.receives({ type: PacketType.Publish, topicName: 'a' })
})

served('[5.0 MQTT-4.13.2-1] a CONNACK of 0x80 or above is the end of the connection', async ({ opens, isCalled, settles }) => {
  const client = await opens({ reconnect: false })
  const server = await isCalled()
  await server.receivesConnect()
  await server.sendsBytes(packetHex("20 [00 87 [1f 0002 'no']]"))
  await server.isClosed()
  await settles()
  expect(await rejection(client.ready)).toMatchObject({
    code: 'connection-refused',
    reasonCode: ReasonCode.NotAuthorized,
    message: 'The server refused the connection: Not authorized (0x87): no'
  })
})

/** What must not come before CONNACK. */
const NOT_FIRST = [
  { what: 'PUBLISH', bytes: "30 [0001 't' 00]" },
  { what: 'PINGRESP', bytes: 'd0 00' },
  { what: 'SUBACK', bytes: '90 [0001 00 00]' },
  { what: 'an AUTH that nobody asked for', bytes: "f0 [18 [15 0001 'm']]" },
  { what: 'CONNECT', bytes: "10 [0004 'MQTT' 05 02 0000 00 0001 'a']" }
]

for (const { what, bytes } of NOT_FIRST) {
  served(`[5.0 MQTT-4.13.2-1] ${what} before CONNACK is the end of the connection`, async ({ opens, isCalled }) => {
    const client = await opens({ reconnect: false })
    const server = await isCalled()
    await server.receivesConnect()
    await server.sendsBytes(packetHex(bytes))
    server.ignoresTheRest()
    expect(await rejection(client.ready)).toMatchObject({ code: 'protocol-error' })
    expect(client.state).toBe('closed')
  })
}

served('a second CONNACK is a Protocol Error ([5.0 3.2])', async ({ connects }) => {
  const [, server] = await connects()
  await server.sendsBytes('20 03 00 00 00')
  await isDisconnected(server, ReasonCode.ProtocolError)
})

served('[5.0 MQTT-3.1.2-1] a 3.1.1 server that does not know 5.0 is understood', async ({ opens, isCalled, isNotCalled }) => {
  const client = await opens()
  const server = await isCalled()
  await server.receivesConnect()
  await server.sendsBytes('20 02 00 01')
  await server.isClosed()
  expect(await rejection(client.ready)).toMatchObject({
    code: 'connection-refused',
    reasonCode: ReasonCode.UnsupportedProtocolVersion
  })
  await isNotCalled()
})

served('[5.0 MQTT-3.1.2-1] and asked again in its own version, where that was allowed', async ({ opens, isCalled }) => {
  const client = await opens({ fallBack: true })
  const server = await isCalled()
  await server.receivesConnect()
  await server.sendsBytes('20 02 00 01')
  await server.isClosed()
  const again = await isCalled()
  await again.receivesConnect({ protocolVersion: ProtocolVersion.Mqtt311 })
  await again.accepts()
  expect(client.connection?.protocolVersion).toBe(ProtocolVersion.Mqtt311)
})
