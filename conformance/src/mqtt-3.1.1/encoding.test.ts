import { PacketType } from '@godwit/protocol'
import { publish, scenario } from '@godwit/testkit'
import { connectBytes, ConnectFlag, text } from '../connect-bytes.ts'
import { ILL_FORMED } from '../ill-formed-text.ts'
import { packetBytes, packetHex } from '../packet-bytes.ts'

for (const { what, hex } of ILL_FORMED) {
  scenario(`[3.1.1 MQTT-1.5.3-1] [3.1.1 MQTT-3.3.2-1] a Topic Name with ${what} closes the connection`, async ({ connects }) => {
    const watcher = await connects({ version: 4 })
    await watcher.subscribes('#')
    const client = await connects({ version: 4 })
    await client.sendsBytes(packetBytes(`30 [00 [${hex}]]`))
    await client.isClosed()
    await watcher.receivesNothing()
  })

  scenario(
    `[3.1.1 MQTT-3.8.3-1] [3.1.1 MQTT-3.10.3-1] a Topic Filter with ${what} closes the connection`,
    async ({ connects }) => {
      const subscriber = await connects({ version: 4 })
      await subscriber.sendsBytes(packetBytes(`82 [0001 00 [${hex}] 00]`))
      await subscriber.isClosed()
      const unsubscriber = await connects({ version: 4 })
      await unsubscriber.sendsBytes(packetBytes(`a2 [0001 00 [${hex}]]`))
      await unsubscriber.isClosed()
    }
  )

  scenario(
    `[3.1.1 MQTT-3.1.3-4] [3.1.1 MQTT-3.1.3-10] [3.1.1 MQTT-3.1.3-11] a ClientId, Will Topic or User Name with ${what} closes the connection without CONNACK`,
    async ({ raw }) => {
      const { CleanStart, Will, UserName } = ConnectFlag
      const illFormed = packetHex(`00 [${hex}]`)
      const payloads = [
        { flags: CleanStart, payload: illFormed },
        { flags: CleanStart | Will, payload: `${text('a')}${illFormed}${text('gone')}` },
        { flags: CleanStart | UserName, payload: `${text('a')}${illFormed}` }
      ]
      for (const parts of payloads) {
        const client = await raw({ version: 4 })
        await client.sendsBytes(connectBytes({ version: 4, properties: '', ...parts }))
        await client.isClosed()
      }
    }
  )
}

scenario('[3.1.1 MQTT-1.5.3-1] every kind of well-formed text passes', async ({ connects }) => {
  const topicName = 'a/ü/\u{7ff}/\u{800}/\u{d7ff}/\u{e000}/\u{fffd}/😀/\u{10ffff}'
  const subscriber = await connects({ version: 4 })
  await subscriber.subscribes(topicName)
  await subscriber.publishes(topicName, 'text')
  await subscriber.receives({ type: PacketType.Publish, topicName, payload: 'text' })
})

scenario('[3.1.1 MQTT-1.5.3-2] [3.1.1 MQTT-4.7.3-2] the NUL character closes the connection', async ({ connects, raw }) => {
  for (const packet of ['30 [00 [610062]]', '82 [0001 00 [610062] 00]', 'a2 [0001 00 [610062]]']) {
    const client = await connects({ version: 4 })
    await client.sendsBytes(packetBytes(packet))
    await client.isClosed()
  }
  const unknown = await raw({ version: 4 })
  await unknown.sendsBytes(connectBytes({ version: 4, properties: '', payload: packetHex('00 [610062]') }))
  await unknown.isClosed()
})

scenario('[3.1.1 MQTT-1.5.3-3] U+FEFF is a character of a topic, at its beginning as anywhere', async ({ connects }) => {
  const marked = await connects({ version: 4 })
  const unmarked = await connects({ version: 4 })
  await marked.subscribes('\ufefft')
  await unmarked.subscribes('t')
  await marked.sendsBytes('30 06 00 04 ef bb bf 74')
  await marked.receivesBytes('30 06 00 04 ef bb bf 74')
  await unmarked.receivesNothing()
  await unmarked.publishes('t')
  await unmarked.receivesBytes('30 03 00 01 74')
  await marked.receivesNothing()
})

scenario('[3.1.1 MQTT-1.5.3-3] a ClientId that begins with U+FEFF is another than the one without', async ({ connects }) => {
  const without = await connects({ version: 4, clientId: 'device' })
  const withMark = await connects({ version: 4, clientId: '\ufeffdevice' })
  await without.receivesNothing()
  await withMark.receivesNothing()
})

scenario('[3.1.1 2.2.3] the Remaining Length of what the server sends grows at 128 and at 16,384 bytes', async ({ connects }) => {
  const client = await connects({ version: 4 })
  await client.subscribes('t')
  for (const [payloadLength, header] of [
    [124, '30 7f'],
    [125, '30 80 01'],
    [16_380, '30 ff 7f'],
    [16_381, '30 80 80 01']
  ] as const) {
    await client.sends(publish('t', 'x'.repeat(payloadLength)))
    await client.receivesBytes(`${header} 00 01 74 ${'78'.repeat(payloadLength)}`)
  }
})

scenario(
  '[3.1.1 2.2.3] a Remaining Length in more bytes than it needs is read, one of five bytes is not',
  async ({ connects }) => {
    const client = await connects({ version: 4 })
    await client.sendsBytes('c0 80 80 00')
    await client.receivesBytes('d0 00')
    await client.sendsBytes('c0 80 80 80 80 00')
    await client.isClosed()
  }
)
