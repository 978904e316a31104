import { PacketType, PINGREQ } from '@godwit/protocol'
import { publish, puback, pubcomp, pubrec, pubrel, scenario, subscribe, unsubscribe } from '@godwit/testkit'
import { expect } from 'vitest'

/** Packets whose fixed header has flags that are reserved, with the flags that the specification prescribes. */
const RESERVED_FLAGS = [
  { packet: 'PUBACK', type: 0x40, prescribed: 0, rest: '02 00 01' },
  { packet: 'PUBREC', type: 0x50, prescribed: 0, rest: '02 00 01' },
  { packet: 'PUBCOMP', type: 0x70, prescribed: 0, rest: '02 00 01' },
  { packet: 'PINGREQ', type: 0xc0, prescribed: 0, rest: '00' }
]

for (const { packet, type, prescribed, rest } of RESERVED_FLAGS) {
  scenario(`[3.1.1 MQTT-2.2.2-2] ${packet} with any reserved flag changed closes the connection`, async ({ connects }) => {
    for (let flags = 0; flags < 16; flags++) {
      if (flags === prescribed) continue
      const client = await connects({ version: 4 })
      await client.sendsBytes(`${(type | flags).toString(16)} ${rest}`)
      await client.isClosed()
    }
  })
}

const NUMBERED_FLAGS = [
  { type: 0x60, rest: '02 00 01' },
  { type: 0x80, rest: '06 00 01 00 01 74 00' },
  { type: 0xa0, rest: '05 00 01 00 01 74' }
]

scenario(
  '[3.1.1 MQTT-3.6.1-1] [3.1.1 MQTT-3.8.1-1] [3.1.1 MQTT-3.10.1-1] PUBREL, SUBSCRIBE and UNSUBSCRIBE with flags other than 0010 close the connection',
  async ({ connects, broker }) => {
    for (const { type, rest } of NUMBERED_FLAGS) {
      for (let flags = 0; flags < 16; flags++) {
        if (flags === 0b0010) continue
        const client = await connects({ version: 4 })
        await client.sendsBytes(`${(type | flags).toString(16)} ${rest}`)
        await client.isClosed()
      }
    }
    expect(broker.running.counts.subscriptions).toBe(0)
  }
)

scenario(
  '[3.1.1 MQTT-3.14.1-1] DISCONNECT with a reserved bit set is no DISCONNECT: the will is published',
  async ({ connects }) => {
    const watcher = await connects({ version: 4 })
    await watcher.subscribes('will')
    for (let flags = 1; flags < 16; flags++) {
      const client = await connects({ version: 4, will: { topicName: 'will', payload: 'gone' } })
      await client.sendsBytes(`e${flags.toString(16)} 00`)
      await client.isClosed()
      await watcher.receives({ type: PacketType.Publish, topicName: 'will', payload: 'gone' })
    }
  }
)

scenario('[3.1.1 MQTT-2.2.2-2] CONNECT with a reserved flag set is closed without CONNACK', async ({ raw }) => {
  for (const firstByte of ['11', '12', '14', '18', '1f']) {
    const client = await raw({ version: 4 })
    await client.sendsBytes(`${firstByte} 0d 00 04 4d 51 54 54 04 02 00 00 00 01 61`)
    await client.isClosed()
  }
})

scenario('[3.1.1 2.2.1] packets of the reserved types 0 and 15 close the connection', async ({ connects }) => {
  for (const bytes of ['00 00', 'f0 00']) {
    const client = await connects({ version: 4 })
    await client.sendsBytes(bytes)
    await client.isClosed()
  }
})

scenario('[3.1.1 2.2.1] packets that only servers send close the connection', async ({ connects }) => {
  for (const bytes of ['20 02 00 00', '90 03 00 01 00', 'b0 02 00 01', 'd0 00']) {
    const client = await connects({ version: 4 })
    await client.sendsBytes(bytes)
    await client.isClosed()
  }
})

scenario('[3.1.1 MQTT-2.2.2-1] the server keeps the reserved flags of what it sends', async ({ raw }) => {
  const client = await raw({ version: 4, acknowledges: false })
  await client.sendsBytes('10 0d 00 04 4d 51 54 54 04 02 00 00 00 01 61')
  await client.receivesBytes('20 02 00 00')
  await client.sends(subscribe(7, [['t', { qos: 2 }]]))
  await client.receivesBytes('90 03 00 07 02')
  await client.sends(publish('t', '1', { qos: 1, packetIdentifier: 8 }))
  await client.receivesInAnyOrder({ type: PacketType.Puback, packetIdentifier: 8 }, { type: PacketType.Publish, payload: '1' })
  await client.sends(puback(1), publish('u', '2', { qos: 1, packetIdentifier: 9 }))
  await client.receivesBytes('40 02 00 09')
  await client.sends(publish('u', '3', { qos: 2, packetIdentifier: 10 }))
  await client.receivesBytes('50 02 00 0a')
  await client.sends(pubrel(10))
  await client.receivesBytes('70 02 00 0a')
  await client.sends(publish('t', '4', { qos: 2, packetIdentifier: 11 }), pubrel(11))
  await client.receivesInAnyOrder(
    { type: PacketType.Pubrec, packetIdentifier: 11 },
    { type: PacketType.Publish, payload: '4', packetIdentifier: 2 },
    { type: PacketType.Pubcomp, packetIdentifier: 11 }
  )
  await client.sends(pubrec(2))
  await client.receivesBytes('62 02 00 02')
  await client.sends(pubcomp(2), unsubscribe(12, ['t']), PINGREQ)
  await client.receivesBytes('b0 02 00 0c')
  await client.receivesBytes('d0 00')
})
