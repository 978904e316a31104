import { PacketType, PINGREQ, ReasonCode } from '@godwit/protocol'
import { connect, puback, publish, pubrel, scenario, subscribe, unsubscribe } from '@godwit/testkit'
import { expect } from 'vitest'

/** Packets whose fixed header has flags that are reserved, with the flags that the specification prescribes. */
const RESERVED_FLAGS = [
  { packet: 'PUBACK', type: 0x40, prescribed: 0, rest: '02 00 01' },
  { packet: 'PUBREC', type: 0x50, prescribed: 0, rest: '02 00 01' },
  { packet: 'PUBREL', type: 0x60, prescribed: 2, rest: '02 00 01' },
  { packet: 'PUBCOMP', type: 0x70, prescribed: 0, rest: '02 00 01' },
  { packet: 'SUBSCRIBE', type: 0x80, prescribed: 2, rest: '07 00 01 00 00 01 74 00' },
  { packet: 'UNSUBSCRIBE', type: 0xa0, prescribed: 2, rest: '06 00 01 00 00 01 74' },
  { packet: 'PINGREQ', type: 0xc0, prescribed: 0, rest: '00' },
  { packet: 'DISCONNECT', type: 0xe0, prescribed: 0, rest: '00' },
  { packet: 'AUTH', type: 0xf0, prescribed: 0, rest: '00' }
]

for (const { packet, type, prescribed, rest } of RESERVED_FLAGS) {
  scenario(`[5.0 MQTT-2.1.3-1] ${packet} with any reserved flag changed is malformed`, async ({ connects }) => {
    for (let flags = 0; flags < 16; flags++) {
      if (flags === prescribed) continue
      const client = await connects()
      await client.sendsBytes(`${(type | flags).toString(16)} ${rest}`)
      await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
    }
  })
}

scenario('[5.0 MQTT-2.1.3-1] CONNECT with a reserved flag set is refused', async ({ raw }) => {
  for (const firstByte of ['11', '12', '14', '18']) {
    const client = await raw()
    await client.sendsBytes(`${firstByte} 0e 00 04 4d 51 54 54 05 02 00 00 00 00 01 61`)
    await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.MalformedPacket })
    await client.isClosed()
  }
})

scenario('[5.0 MQTT-2.1.3-1] a packet of the reserved type 0 is malformed', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('00 00')
  await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
})

scenario('[5.0 MQTT-2.1.3-1] the server keeps the reserved flags of what it sends', async ({ connects }) => {
  const client = await connects({ acknowledges: false })
  await client.sends(subscribe(7, [['t', { qos: 2 }]]), unsubscribe(8, ['t']), PINGREQ)
  await client.receivesBytes('90 04 00 07 00 02')
  await client.receivesBytes('b0 04 00 08 00 00')
  await client.receivesBytes('d0 00')
})

scenario('[5.0 MQTT-2.2.1-2] a QoS 0 PUBLISH has no Packet Identifier, neither in nor out', async ({ connects }) => {
  const client = await connects()
  await client.subscribes('t', { qos: 2 })
  await client.sendsBytes('30 06 00 01 74 00 00 01')
  await client.receivesBytes('30 06 00 01 74 00 00 01')
  await client.publishes('t', 'one', { qos: 1 })
  await client.receivesBytes('32 09 00 01 74 00 01 00 6f 6e 65')
})

scenario('[5.0 MQTT-2.2.1-3] Packet Identifier 0 is refused in PUBLISH, SUBSCRIBE and UNSUBSCRIBE', async ({ connects }) => {
  const packets = ['32 06 00 01 74 00 00 00', '34 06 00 01 74 00 00 00', '82 07 00 00 00 00 01 74 00', 'a2 06 00 00 00 00 01 74']
  for (const bytes of packets) {
    const client = await connects()
    await client.sendsBytes(bytes)
    const disconnect = await client.receives({ type: PacketType.Disconnect })
    expect([ReasonCode.MalformedPacket, ReasonCode.ProtocolError]).toContain(disconnect.reasonCode)
    await client.isClosed()
  }
})

scenario('[5.0 MQTT-2.2.1-4] the server numbers its PUBLISHes from 1 with identifiers that are free', async ({ connects }) => {
  const subscriber = await connects({ acknowledges: false })
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects()
  await publisher.publishes('t', 'one', { qos: 1 })
  await publisher.publishes('t', 'two', { qos: 2 })
  await publisher.publishes('t', 'three', { qos: 1 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'one', qos: 1, packetIdentifier: 1 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'two', qos: 2, packetIdentifier: 2 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'three', qos: 1, packetIdentifier: 3 })
  await subscriber.sends(puback(1))
  await publisher.publishes('t', 'four', { qos: 1 })
  const { packetIdentifier } = await subscriber.receives({ type: PacketType.Publish, payload: 'four', qos: 1 })
  expect([0, 2, 3]).not.toContain(packetIdentifier)
})

scenario(
  '[5.0 MQTT-2.2.1-4] after 65,535 the server begins anew, and leaves out identifiers that are in use',
  { networks: ['whole'] },
  async ({ connects }) => {
    const subscriber = await connects()
    await subscriber.subscribes('t', { qos: 1 })
    subscriber.acknowledges = false
    const publisher = await connects()
    for (let count = 1; count <= 3; count++) {
      await publisher.publishes('t', `${count}`, { qos: 1 })
      await subscriber.receives({ type: PacketType.Publish, packetIdentifier: count })
    }
    await subscriber.sends(puback(1), puback(3))
    subscriber.acknowledges = true
    const many = Array.from({ length: 256 }, () => publish('t', '', { qos: 1, packetIdentifier: 9 }))
    let last = 3
    while (last < 65_535) {
      const batch = many.slice(0, Math.min(many.length, 65_535 - last))
      await publisher.sends(...batch)
      for (let index = 0; index < batch.length; index++) {
        await publisher.receives({ type: PacketType.Puback, packetIdentifier: 9 })
        await subscriber.receives({ type: PacketType.Publish, packetIdentifier: ++last })
      }
    }
    await publisher.publishes('t', 'again', { qos: 1 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'again', packetIdentifier: 1 })
    await publisher.publishes('t', 'not 2', { qos: 1 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'not 2', packetIdentifier: 3 })
  }
)

scenario(
  '[5.0 MQTT-2.2.1-5] PUBACK, PUBREC and PUBCOMP carry the identifier of the PUBLISH that they answer',
  async ({ connects }) => {
    const client = await connects()
    await client.subscribes('t')
    client.ignoresTheRest()
    const publisher = await connects()
    await publisher.sends(publish('t', '', { qos: 1, packetIdentifier: 0x1234 }))
    await publisher.receivesBytes('40 02 12 34')
    await publisher.sends(publish('t', '', { qos: 2, packetIdentifier: 0xffff }))
    await publisher.receivesBytes('50 02 ff ff')
    await publisher.sends(pubrel(0xffff))
    await publisher.receivesBytes('70 02 ff ff')
  }
)

scenario('[5.0 MQTT-2.2.1-5] PUBREL carries the identifier of the PUBLISH that the server sent', async ({ connects }) => {
  const subscriber = await connects({ acknowledges: false })
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects()
  await publisher.publishes('t', 'one', { qos: 2 })
  await publisher.publishes('t', 'two', { qos: 2 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'one', packetIdentifier: 1 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'two', packetIdentifier: 2 })
  await subscriber.sendsBytes('50 02 00 02')
  await subscriber.receivesBytes('62 02 00 02')
  await subscriber.sendsBytes('50 02 00 01')
  await subscriber.receivesBytes('62 02 00 01')
})

scenario('[5.0 MQTT-2.2.1-6] SUBACK and UNSUBACK carry the identifier of what they answer', async ({ connects }) => {
  const client = await connects()
  await client.sends(
    subscribe(0x0102, ['a']),
    subscribe(0xfffe, ['b']),
    unsubscribe(0x0102, ['a']),
    unsubscribe(0x0103, ['none'])
  )
  await client.receivesBytes('90 04 01 02 00 00')
  await client.receivesBytes('90 04 ff fe 00 00')
  await client.receivesBytes('b0 04 01 02 00 00')
  await client.receivesBytes('b0 04 01 03 00 11')
})

scenario('[5.0 MQTT-2.2.2-1] what the server sends without properties has a Property Length of 0', async ({ connects }) => {
  const client = await connects()
  await client.sends(subscribe(1, ['t']), publish('t', 'x'), unsubscribe(2, ['t']))
  await client.receivesBytes('90 04 00 01 00 00')
  await client.receivesBytes('30 05 00 01 74 00 78')
  await client.receivesBytes('b0 04 00 02 00 00')
})

scenario(
  '[5.0 MQTT-2.2.2-1] SUBSCRIBE, UNSUBSCRIBE, PUBLISH and CONNECT without a Property Length are malformed',
  async ({ connects, raw }) => {
    for (const bytes of ['82 06 00 01 00 01 74 00', 'a2 05 00 01 00 01 74', '30 03 00 01 74']) {
      const client = await connects()
      await client.sendsBytes(bytes)
      await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
    }
    const connecting = await raw()
    await connecting.sendsBytes('10 0d 00 04 4d 51 54 54 05 02 00 00 00 01 61')
    await connecting.receives({ type: PacketType.Connack, reasonCode: ReasonCode.MalformedPacket })
    await connecting.isClosed()
  }
)

scenario('[5.0 MQTT-2.2.2-1] a Property Length of 0 is taken in every packet that may have properties', async ({ raw }) => {
  const client = await raw()
  await client.isAccepted(connect({ clientId: 'a' }))
  await client.sendsBytes('82 07 00 01 00 00 01 74 00')
  await client.receives({ type: PacketType.Suback, packetIdentifier: 1, reasonCodes: [0] })
  await client.sendsBytes('30 04 00 01 74 00')
  await client.receives({ type: PacketType.Publish, topicName: 't', payload: '', properties: {} })
  await client.sendsBytes('34 06 00 01 74 00 05 00 62 04 00 05 00 00')
  await client.receives({ type: PacketType.Pubrec, packetIdentifier: 5, reasonCode: ReasonCode.Success })
  await client.receivesInAnyOrder(
    { type: PacketType.Pubcomp, packetIdentifier: 5, reasonCode: ReasonCode.Success },
    { type: PacketType.Publish, topicName: 't', qos: 0 }
  )
  await client.sendsBytes('e0 02 00 00')
  await client.isClosed()
})
