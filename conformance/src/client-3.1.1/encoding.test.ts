import { PacketType, ProtocolVersion } from '@godwit/protocol'
import { publish, pubrec, pubrel, toHex } from '@godwit/testkit'
import { expect } from 'vitest'
import { isRefused, served } from '../client-scenario.test.support.ts'
import { ILL_FORMED } from '../ill-formed-text.ts'
import { packetHex } from '../packet-bytes.ts'

const protocolVersion = ProtocolVersion.Mqtt311

for (const text of ['a\ud800', '\udfffb', 'a\0b']) {
  served(
    '[3.1.1 MQTT-1.5.3-1] [3.1.1 MQTT-1.5.3-2] [3.1.1 MQTT-4.7.3-2] [3.1.1 MQTT-3.8.3-1] what is no text is not sent',
    async ({ connects }) => {
      const [client, server] = await connects({ protocolVersion })
      await isRefused(server, client.publish(text, ''), 'invalid-argument')
      expect(() => client.subscribe(text)).toThrow('is not a Topic Filter')
      await server.receivesNothing()
    }
  )

  served(
    '[3.1.1 MQTT-3.1.3-4] [3.1.1 MQTT-3.1.3-10] [3.1.1 MQTT-3.1.3-11] nor with CONNECT',
    async ({ cannotOpen, isNotCalled }) => {
      for (const options of [{ clientId: text }, { userName: text }, { will: { topic: text, payload: '' } }]) {
        expect(await cannotOpen({ protocolVersion, ...options })).toMatchObject({ code: 'invalid-argument' })
      }
      await isNotCalled()
    }
  )
}

for (const { what, hex } of [...ILL_FORMED, { what: 'NUL', hex: '610062' }]) {
  served(
    `[3.1.1 MQTT-1.5.3-1] [3.1.1 MQTT-1.5.3-2] ${what} in a string of the server ends the connection`,
    async ({ connects }) => {
      const [, server] = await connects({ protocolVersion })
      const length = (hex.length / 2).toString(16).padStart(2, '0')
      await server.sendsBytes(packetHex(`30 [00${length} ${hex}]`))
      await server.isClosed()
    }
  )
}

served('[3.1.1 MQTT-1.5.3-3] EF BB BF is a character like others, both ways', async ({ connects }) => {
  const [client, server] = await connects({ protocolVersion })
  const received: string[] = []
  client.subscribe('#', {}, (message) => received.push(message.topic))
  await server.grants()
  await server.sendsBytes(packetHex("30 [0004 efbbbf 't']"))
  expect(received).toEqual(['\ufefft'])
  void client.publish('\ufefft', '')
  await server.receivesBytes(packetHex("30 [0004 efbbbf 't']"))
})

served(
  '[3.1.1 MQTT-2.2.2-1] [3.1.1 MQTT-3.6.1-1] [3.1.1 MQTT-3.8.1-1] [3.1.1 MQTT-3.10.1-1] reserved flags have their values in all that is sent',
  async ({ connects, clock }) => {
    const [client, server] = await connects({ protocolVersion, keepAliveSeconds: 60 })
    server.answersPings = false
    const next = async (): Promise<string> => toHex((await server.nextBytes()).subarray(0, 1))
    const subscription = client.subscribe('t', { qos: 2 }, () => undefined)
    expect(await next()).toBe('82')
    void client.publish('t', '', { qos: 2 })
    const { packetIdentifier } = await server.receives({ type: PacketType.Publish })
    await server.sends(pubrec(packetIdentifier))
    expect(await next()).toBe('62')
    await server.sends(
      publish('t', '', { qos: 1, packetIdentifier: 1 }),
      publish('t', '', { qos: 2, packetIdentifier: 2 }),
      pubrel(2)
    )
    expect([await next(), await next(), await next()]).toEqual(['40', '50', '70'])
    void subscription.unsubscribe()
    expect(await next()).toBe('a2')
    await clock.advancesSeconds(55)
    expect(await next()).toBe('c0')
    void client.close({ drainMs: 0 })
    expect(await next()).toBe('e0')
    await server.isClosed()
  }
)

for (const [packet, bytes] of [
  ['CONNACK', '21 02 00 00'],
  ['PUBACK', '42 02 00 01'],
  ['PUBREC', '51 02 00 01'],
  ['PUBREL', '60 02 00 01'],
  ['PUBCOMP', '72 02 00 01'],
  ['SUBACK', '91 03 00 01 00'],
  ['UNSUBACK', 'b2 02 00 01'],
  ['PINGRESP', 'd1 00']
] as const) {
  served(`[3.1.1 MQTT-2.2.2-2] [3.1.1 MQTT-3.6.1-1] a ${packet} with other flags ends the connection`, async ({ connects }) => {
    const [, server] = await connects({ protocolVersion })
    await server.sendsBytes(bytes)
    await server.isClosed()
  })
}

served(
  '[3.1.1 MQTT-2.3.1-5] [3.1.1 MQTT-2.3.1-1] [3.1.1 MQTT-3.3.2-1] a PUBLISH is its topic, its identifier above QoS 0, and the payload',
  async ({ connects }) => {
    const [client, server] = await connects({ protocolVersion })
    void client.publish('a/b', 'x', {
      retain: true,
      contentType: 'left out',
      userProperties: [['left', 'out']],
      expirySeconds: 5
    })
    await server.receivesBytes(packetHex("31 [0003 'a/b' 'x']"))
    void client.publish('a/b', 'x', { qos: 1 })
    await server.receivesBytes(packetHex("32 [0003 'a/b' 0002 'x']"))
    const received: string[] = []
    client.subscribe('#', {}, ({ topic, payload }) => received.push(topic, toHex(payload)))
    await server.receivesBytes(packetHex("82 [fde9 0001 '#' 01]"))
    await server.sendsBytes(packetHex("30 [0003 'a/b' 00 01]"))
    expect(received).toEqual(['a/b', '00 01'])
  }
)

served('[3.1.1 MQTT-2.3.1-6] an acknowledgement repeats the Packet Identifier, whatever it is', async ({ connects }) => {
  const [client, server] = await connects({ protocolVersion })
  client.subscribe('#', { qos: 2 }, () => undefined)
  await server.grants()
  for (const packetIdentifier of [1, 127, 128, 255, 256, 0xffff]) {
    await server.sends(publish('t', '', { qos: 1, packetIdentifier }))
    await server.receives({ type: PacketType.Puback, packetIdentifier })
    await server.sends(publish('t', '', { qos: 2, packetIdentifier }))
    await server.receives({ type: PacketType.Pubrec, packetIdentifier })
    await server.sends(pubrel(packetIdentifier))
    await server.receives({ type: PacketType.Pubcomp, packetIdentifier })
  }
})

/** What a server must not send. */
const ERRORS = [
  { what: 'PUBLISH with QoS 3', bytes: '36 05 00 01 74 00 01' },
  { what: 'PUBLISH to a wildcard', bytes: '30 03 00 01 23' },
  { what: 'PUBLISH without a topic', bytes: '30 02 00 00' },
  { what: 'PUBLISH with Packet Identifier 0', bytes: '32 05 00 01 74 00 00' },
  { what: 'SUBACK with a code that there is not', bytes: '90 03 00 01 03' },
  { what: 'a second CONNACK', bytes: '20 02 00 00' },
  { what: 'SUBSCRIBE', bytes: '82 06 00 01 00 01 74 00' },
  { what: 'PINGREQ', bytes: 'c0 00' },
  { what: 'DISCONNECT', bytes: 'e0 00' },
  { what: 'AUTH', bytes: 'f0 00' },
  { what: 'a packet of type 0', bytes: '00 00' },
  { what: 'a packet longer than its fields', bytes: 'd0 01 00' }
]

for (const { what, bytes } of ERRORS) {
  served(
    `[3.1.1 MQTT-4.8.0-1] [3.1.1 MQTT-3.3.1-4] [3.1.1 MQTT-3.3.2-2] [3.1.1 MQTT-2.3.1-1] [3.1.1 MQTT-4.7.3-1] ${what} ends the connection, and the client comes back`,
    async ({ connects, isCalledAgain }) => {
      const [client, first] = await connects({ protocolVersion })
      await first.sendsBytes(bytes)
      await first.isClosed()
      await (await isCalledAgain()).accepts()
      expect(client.state).toBe('connected')
    }
  )
}

served('[3.1.1 MQTT-4.8.0-2] what the client cannot take ends the connection', async ({ connects }) => {
  const [, server] = await connects({ protocolVersion, maximumPacketSize: 20 })
  await server.sends(publish('t', new Uint8Array(100)))
  await server.isClosed()
})
