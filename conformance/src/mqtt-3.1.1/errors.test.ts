import { encodePacket, PacketType, PINGREQ } from '@godwit/protocol'
import { connect, publish, scenario, subscribe, toHex } from '@godwit/testkit'
import { expect } from 'vitest'

/** What an accepted 3.1.1 client must not send, in bytes. */
const VIOLATIONS = [
  { what: 'a second CONNECT', bytes: '10 0d 00 04 4d 51 54 54 04 02 00 00 00 01 61' },
  { what: 'a CONNACK', bytes: '20 02 00 00' },
  { what: 'a PUBLISH with QoS 3', bytes: '36 05 00 01 74 00 01' },
  { what: 'a PUBLISH with an empty topic', bytes: '30 02 00 00' },
  { what: 'a PUBLISH with a wildcard', bytes: '30 03 00 01 23' },
  { what: 'a PUBLISH with identifier 0', bytes: '32 05 00 01 74 00 00' },
  { what: 'a PUBACK of one byte', bytes: '40 01 00' },
  { what: 'a PUBACK of three bytes', bytes: '40 03 00 01 00' },
  { what: 'a PUBREC of four bytes', bytes: '50 04 00 01 00 00' },
  { what: 'a PUBREL without its flags', bytes: '60 02 00 01' },
  { what: 'a PUBCOMP with identifier 0', bytes: '70 02 00 00' },
  { what: 'a SUBSCRIBE without a filter', bytes: '82 02 00 01' },
  { what: 'a SUBACK', bytes: '90 03 00 01 00' },
  { what: 'an UNSUBSCRIBE without a filter', bytes: 'a2 02 00 01' },
  { what: 'an UNSUBACK', bytes: 'b0 02 00 01' },
  { what: 'a PINGREQ that is not empty', bytes: 'c0 01 00' },
  { what: 'a PINGRESP', bytes: 'd0 00' },
  { what: 'a DISCONNECT that is not empty', bytes: 'e0 01 00' },
  { what: 'a packet of type 15', bytes: 'f0 00' },
  { what: 'a packet of type 0', bytes: '00 00' },
  { what: 'a Remaining Length of five bytes', bytes: '30 ff ff ff ff 7f' }
]

const behind = toHex(encodePacket(publish('t', 'behind'), 4))

for (const { what, bytes } of VIOLATIONS) {
  scenario(
    `[3.1.1 MQTT-4.8.0-1] ${what} closes the connection that it came on: nothing behind it is processed, nobody else is touched`,
    async ({ connects, broker }) => {
      const other = await connects({ version: 4, clientId: 'other' })
      await other.subscribes('#', { qos: 1 })
      const client = await connects({ version: 4, clientId: 'a', will: { topicName: 'will' } })
      await client.sendsBytes(`${bytes} ${behind}`)
      await client.isClosed()
      await other.receives({ type: PacketType.Publish, topicName: 'will' })
      await other.receivesNothing()
      await other.publishes('t', 'still here', { qos: 1 })
      await other.receives({ type: PacketType.Publish, payload: 'still here' })
      expect([...broker.running.clients()].map(({ clientId }) => clientId)).toEqual(['other'])
    }
  )
}

scenario('[3.1.1 MQTT-4.8.0-1] what came before the violation in the same chunk is processed', async ({ connects }) => {
  const watcher = await connects({ version: 4 })
  await watcher.subscribes('#')
  const client = await connects({ version: 4 })
  await client.sendsBytes(
    `${toHex(encodePacket(publish('t', 'before'), 4))} ${toHex(encodePacket(PINGREQ, 4))} 36 05 00 01 74 00 01 ${behind}`
  )
  await client.receives({ type: PacketType.Pingresp })
  await client.isClosed()
  await watcher.receives({ type: PacketType.Publish, payload: 'before' })
  await watcher.receivesNothing()
})

scenario(
  '[3.1.1 MQTT-4.8.0-1] a packet larger than the server takes closes the connection as soon as its length is known',
  { limits: { packetBytesMax: 128 } },
  async ({ connects }) => {
    const client = await connects({ version: 4 })
    await client.subscribes('t')
    await client.publishes('t', 'x'.repeat(123))
    await client.receives({ type: PacketType.Publish, payload: 'x'.repeat(123) })
    await client.sendsBytes('30 ff ff ff 7f')
    await client.isClosed()
  }
)

scenario(
  '[3.1.1 MQTT-4.8.0-2] a client that cannot be authenticated for an error is closed, the others go on',
  async ({ connects, raw, broker }) => {
    await broker.restarts({
      authenticate: ({ clientId }) => (clientId === 'unlucky' ? Promise.reject(new Error('no database')) : { accepted: true })
    })
    const other = await connects({ version: 4 })
    await other.subscribes('t')
    const unlucky = await raw({ version: 4 })
    await unlucky.sends(connect({ version: 4, clientId: 'unlucky' }), publish('t', 'unheard'), subscribe(1, ['t']))
    await unlucky.isClosed()
    expect(broker.loggedErrors.splice(0)).toHaveLength(1)
    await other.receivesNothing()
    await other.publishes('t', 'heard')
    await other.receives({ type: PacketType.Publish, payload: 'heard' })
  }
)
