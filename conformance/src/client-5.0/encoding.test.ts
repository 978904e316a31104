import { PacketType, ReasonCode } from '@godwit/protocol'
import { puback, publish, pubrec, pubrel, toHex } from '@godwit/testkit'
import { expect } from 'vitest'
import { isDisconnected, isRefused, served } from '../client-scenario.test.support.ts'
import { ILL_FORMED } from '../ill-formed-text.ts'
import { packetHex } from '../packet-bytes.ts'

const { MalformedPacket } = ReasonCode
/** What a JavaScript string can hold and an MQTT string cannot. */
const NOT_TEXT = ['a\ud800', '\udfffb', 'a\0b']

for (const text of NOT_TEXT) {
  const what = JSON.stringify(text)
  served('[5.0 MQTT-1.5.4-1] [5.0 MQTT-1.5.4-2] [5.0 MQTT-1.5.7-1] what is no text is not sent', async ({ connects }) => {
    const [client, server] = await connects()
    await isRefused(server, client.publish(text, ''), 'invalid-argument')
    await isRefused(server, client.publish('t', '', { contentType: text }), 'invalid-argument')
    await isRefused(server, client.publish('t', '', { responseTopic: text }), 'invalid-argument')
    await isRefused(server, client.publish('t', '', { userProperties: [[text, 'value']] }), 'invalid-argument')
    await isRefused(server, client.publish('t', '', { userProperties: [['name', text]] }), 'invalid-argument')
    expect(() => client.subscribe(text), what).toThrow('is not a Topic Filter')
    expect(() => client.subscribe('t', { userProperties: [['name', text]] }), what).toThrow('User Property')
    await server.receivesNothing()
  })

  served('[5.0 MQTT-3.1.3-4] [5.0 MQTT-3.1.3-11] [5.0 MQTT-3.1.3-12] nor with CONNECT', async ({ cannotOpen, isNotCalled }) => {
    const will = { topic: 'will', payload: '' }
    for (const options of [
      { clientId: text },
      { userName: text },
      { will: { ...will, topic: text } },
      { will: { ...will, contentType: text } },
      { userProperties: [[text, 'value'] as const] }
    ]) {
      expect(await cannotOpen(options), what).toMatchObject({ name: 'ClientError', code: 'invalid-argument' })
    }
    await isNotCalled()
  })
}

for (const { what, hex } of ILL_FORMED) {
  served(`[5.0 MQTT-1.5.4-1] ${what} in a string of the server ends the connection`, async ({ connects }) => {
    const [, topicName] = await connects()
    const length = (hex.length / 2).toString(16).padStart(2, '0')
    await topicName.sendsBytes(packetHex(`30 [00${length} ${hex} 00]`))
    await isDisconnected(topicName, MalformedPacket)
  })

  served(`[5.0 MQTT-1.5.7-1] ${what} in a User Property of the server ends the connection`, async ({ connects }) => {
    const [, server] = await connects()
    const length = (hex.length / 2).toString(16).padStart(2, '0')
    await server.sendsBytes(packetHex(`30 [0001 't' [26 0001 'n' 00${length} ${hex}]]`))
    await isDisconnected(server, MalformedPacket)
  })
}

served('[5.0 MQTT-1.5.4-2] NUL in a string of the server ends the connection', async ({ connects }) => {
  const [, server] = await connects()
  await server.sendsBytes(packetHex("30 [0003 'a' 00 'b' 00]"))
  await isDisconnected(server, MalformedPacket)
})

served('[5.0 MQTT-1.5.4-3] EF BB BF is a character like others, both ways', async ({ connects }) => {
  const [client, server] = await connects()
  const received: string[] = []
  client.subscribe('#', {}, (message) => received.push(message.topic, message.text()))
  await server.receives({ type: PacketType.Subscribe })
  await server.sendsBytes(packetHex("30 [0004 efbbbf 't' 00 efbbbf 'x']"))
  expect(received).toEqual(['\ufefft', '\ufeffx'])
  void client.publish('\ufefft', '\ufeffx')
  await server.receives({ type: PacketType.Publish, topicName: '\ufefft', payload: '\ufeffx' })
})

served(
  '[5.0 MQTT-1.5.5-1] lengths are written in the shortest form',
  async ({ connects }) => {
    const [client, server] = await connects()
    for (const [payload, length] of [
      [123, '7f'],
      [124, '80 01'],
      [16_379, 'ff 7f'],
      [16_380, '80 80 01'],
      [2_097_147, 'ff ff 7f'],
      [2_097_148, '80 80 80 01']
    ] as const) {
      void client.publish('t', new Uint8Array(payload))
      const bytes = await server.nextBytes()
      expect(toHex(bytes.subarray(1, bytes.byteLength - payload - 4))).toBe(length)
    }
  },
  { networks: ['whole'] }
)

served('[5.0 MQTT-1.5.5-1] a longer form than needed ends the connection', async ({ connects }) => {
  const [, server] = await connects()
  await server.sendsBytes('d0 80 00')
  await isDisconnected(server, MalformedPacket)
})

served(
  '[5.0 MQTT-2.1.3-1] [5.0 MQTT-3.6.1-1] [5.0 MQTT-3.8.1-1] [5.0 MQTT-3.10.1-1] [5.0 MQTT-3.14.1-1] reserved flags have their values in all that is sent',
  async ({ connects }) => {
    const [client, server] = await connects({ keepAliveSeconds: 0 })
    const next = async () => toHex((await server.nextBytes()).subarray(0, 1))
    const subscription = client.subscribe('t', { qos: 2 })
    expect(await next()).toBe('82')
    void client.publish('t', '', { qos: 2 })
    const { packetIdentifier } = await server.receives({ type: PacketType.Publish })
    await server.sends(pubrec(packetIdentifier))
    expect(await next()).toBe('62')
    await server.sends(publish('t', '', { qos: 1, packetIdentifier: 1 }), publish('t', '', { qos: 2, packetIdentifier: 2 }))
    const loop = subscription[Symbol.asyncIterator]()
    for (let count = 0; count < 3; count++) void loop.next()
    expect([await next(), await next()]).toEqual(['40', '50'])
    await server.sends(pubrel(2))
    expect(await next()).toBe('70')
    void subscription.unsubscribe()
    expect(await next()).toBe('a2')
    void client.close({ drainMs: 0 })
    expect(await next()).toBe('e0')
    await server.isClosed()
  }
)

/** The first byte of each packet that a server sends, with one flag wrong. */
const WRONG_FLAGS = [
  { packet: 'CONNACK', bytes: '21 03 00 00 00' },
  { packet: 'PUBACK', bytes: '42 02 00 01' },
  { packet: 'PUBREC', bytes: '51 02 00 01' },
  { packet: 'PUBREL', bytes: '60 02 00 01' },
  { packet: 'PUBCOMP', bytes: '72 02 00 01' },
  { packet: 'SUBACK', bytes: '91 04 00 01 00 00' },
  { packet: 'UNSUBACK', bytes: 'b2 04 00 01 00 00' },
  { packet: 'PINGRESP', bytes: 'd1 00' },
  { packet: 'DISCONNECT', bytes: 'e1 00' },
  { packet: 'AUTH', bytes: 'f1 00' }
]

for (const { packet, bytes } of WRONG_FLAGS) {
  served(
    `[5.0 MQTT-2.1.3-1] [5.0 MQTT-3.6.1-1] [5.0 MQTT-3.14.1-1] [5.0 MQTT-3.15.1-1] a ${packet} with other flags ends the connection`,
    async ({ connects }) => {
      const [, server] = await connects()
      await server.sendsBytes(bytes)
      await isDisconnected(server, MalformedPacket)
    }
  )
}

served('[5.0 MQTT-2.2.2-1] a Property Length of 0 stands where there are no properties', async ({ connects }) => {
  const [client, server] = await connects({ keepAliveSeconds: 0 }, { subscriptionIdentifiersAvailable: false })
  void client.publish('t', 'x')
  await server.receivesBytes(packetHex("30 [0001 't' 00 'x']"))
  const subscription = client.subscribe('t', { qos: 1 })
  await server.receivesBytes(packetHex("82 [fde9 00 0001 't' 01]"))
  void subscription.unsubscribe()
  await server.receivesBytes(packetHex("a2 [fdea 00 0001 't']"))
})

served('[5.0 MQTT-2.2.1-2] [5.0 MQTT-3.3.2-1] a QoS 0 PUBLISH is its topic, properties and payload', async ({ connects }) => {
  const [client, server] = await connects()
  void client.publish('a/b', 'x', { retain: true, contentType: 'c' })
  await server.receivesBytes(packetHex("31 [0003 'a/b' [03 0001 'c'] 'x']"))
})

served('[5.0 MQTT-2.2.1-2] [5.0 MQTT-3.3.2-1] and so it is read', async ({ connects }) => {
  const [client, server] = await connects()
  const received: string[] = []
  client.subscribe('#', {}, ({ topic, payload, properties }) =>
    received.push(topic, toHex(payload), properties.contentType ?? '')
  )
  await server.receives({ type: PacketType.Subscribe })
  await server.sendsBytes(packetHex("30 [0003 'a/b' [03 0001 'c'] 00 01]"))
  expect(received).toEqual(['a/b', '00 01', 'c'])
})

served('[5.0 MQTT-2.2.1-5] an acknowledgement repeats the Packet Identifier, whatever it is', async ({ connects }) => {
  const [client, server] = await connects()
  client.subscribe('#', { qos: 2 }, () => undefined)
  await server.receives({ type: PacketType.Subscribe })
  for (const packetIdentifier of [1, 127, 128, 255, 256, 0xffff]) {
    await server.sends(publish('t', '', { qos: 1, packetIdentifier }))
    await server.receives({ type: PacketType.Puback, packetIdentifier })
    await server.sends(publish('t', '', { qos: 2, packetIdentifier }))
    await server.receives({ type: PacketType.Pubrec, packetIdentifier })
    await server.sends(pubrel(packetIdentifier))
    await server.receives({ type: PacketType.Pubcomp, packetIdentifier })
  }
  void client.publish('t', '', { qos: 2 })
  const { packetIdentifier } = await server.receives({ type: PacketType.Publish })
  await server.sends(puback(packetIdentifier + 1), pubrec(packetIdentifier))
  await server.receives({ type: PacketType.Pubrel, packetIdentifier })
})
