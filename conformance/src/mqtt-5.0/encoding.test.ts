import { PacketType, ReasonCode } from '@godwit/protocol'
import { connect, publish, scenario } from '@godwit/testkit'
import { ILL_FORMED } from '../ill-formed-text.ts'
import { packetBytes, packetHex } from '../packet-bytes.ts'

/** A QoS 0 PUBLISH without properties to a topic given in hexadecimal. */
function publishTo(topic: string): string {
  return packetHex(`30 [00 [${topic}] 00]`)
}

for (const { what, hex } of ILL_FORMED) {
  scenario(`[5.0 MQTT-1.5.4-1] a Topic Name with ${what} is malformed`, async ({ connects }) => {
    const client = await connects()
    await client.sendsBytes(publishTo(hex))
    await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  })
}

scenario(
  '[5.0 MQTT-1.5.4-1] ill-formed text is malformed in a SUBSCRIBE, an UNSUBSCRIBE and a Reason String',
  async ({ connects }) => {
    const subscriber = await connects()
    await subscriber.sendsBytes('82 08 00 01 00 00 02 61 ff 00')
    await subscriber.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
    const unsubscriber = await connects()
    await unsubscriber.sendsBytes('a2 07 00 01 00 00 02 61 ff')
    await unsubscriber.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
    const acknowledger = await connects()
    await acknowledger.sendsBytes('40 09 00 01 10 05 1f 00 02 61 ff')
    await acknowledger.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  }
)

scenario('[5.0 MQTT-1.5.4-1] every kind of well-formed text passes', async ({ connects }) => {
  const topicName = 'a/ü/\u{7ff}/\u{800}/\u{d7ff}/\u{e000}/\u{fffd}/😀/\u{10ffff}'
  const subscriber = await connects()
  await subscriber.subscribes(topicName)
  await subscriber.publishes(topicName, 'text')
  await subscriber.receives({ type: PacketType.Publish, topicName, payload: 'text' })
})

scenario('[5.0 MQTT-1.5.4-2] a Topic Name with the NUL character is malformed', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes(publishTo('610062'))
  await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
})

scenario('[5.0 MQTT-1.5.4-2] a ClientID with the NUL character is refused', async ({ raw }) => {
  const client = await raw()
  await client.sendsBytes('10 10 00 04 4d 51 54 54 05 02 00 00 00 00 03 61 00 62')
  await client.receives({ type: PacketType.Connack, sessionPresent: false, reasonCode: ReasonCode.MalformedPacket })
  await client.isClosed()
})

scenario('[5.0 MQTT-1.5.4-3] U+FEFF is a character of a Topic Name, at its beginning as anywhere', async ({ connects }) => {
  const marked = await connects()
  const unmarked = await connects()
  await marked.subscribes('\ufefft')
  await unmarked.subscribes('t')
  await marked.sendsBytes(publishTo('efbbbf74'))
  await marked.receivesBytes(publishTo('efbbbf74'))
  await unmarked.receivesNothing()
  await unmarked.publishes('t', '')
  await unmarked.receivesBytes(publishTo('74'))
  await marked.receivesNothing()
})

scenario('[5.0 MQTT-1.5.4-3] a ClientID that begins with U+FEFF is another than the one without', async ({ connects }) => {
  const without = await connects({ clientId: 'device' })
  const withMark = await connects({ clientId: '\ufeffdevice' })
  await without.receivesNothing()
  await withMark.receivesNothing()
})

scenario('[5.0 MQTT-1.5.5-1] a Remaining Length in more bytes than it needs is malformed', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('c0 80 00')
  await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
})

scenario('[5.0 MQTT-1.5.5-1] a padded Remaining Length of CONNECT is refused', async ({ raw }) => {
  const client = await raw()
  await client.sendsBytes('10 8e 00 00 04 4d 51 54 54 05 02 00 00 00 00 01 61')
  await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.MalformedPacket })
  await client.isClosed()
})

scenario(
  '[5.0 MQTT-1.5.5-1] a Property Length and a Subscription Identifier in more bytes than they need are malformed',
  async ({ connects }) => {
    const publisher = await connects()
    await publisher.sendsBytes('30 05 00 01 74 80 00')
    await publisher.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
    const subscriber = await connects()
    await subscriber.sendsBytes('82 0a 00 01 03 0b 81 00 00 01 74 00')
    await subscriber.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  }
)

scenario(
  '[5.0 MQTT-1.5.5-1] the Remaining Length of what the server sends grows at 128 and at 16,384 bytes',
  async ({ connects }) => {
    const client = await connects()
    await client.subscribes('t')
    for (const [payloadLength, header] of [
      [123, '30 7f'],
      [124, '30 80 01'],
      [16_379, '30 ff 7f'],
      [16_380, '30 80 80 01']
    ] as const) {
      await client.publishes('t', 'x'.repeat(payloadLength))
      await client.receivesBytes(`${header} 00 01 74 00 ${'78'.repeat(payloadLength)}`)
    }
  }
)

for (const { what, hex } of ILL_FORMED) {
  scenario(
    `[5.0 MQTT-1.5.7-1] a User Property with ${what} is malformed, be it in its name or its value`,
    async ({ connects }) => {
      for (const pair of [`00 [${hex}] 0001 'v'`, `0001 'n' 00 [${hex}]`]) {
        const client = await connects()
        await client.sendsBytes(packetBytes(`30 [0001 't' [26 ${pair}]]`))
        await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
      }
    }
  )
}

scenario('[5.0 MQTT-1.5.7-1] a User Property with the NUL character is malformed', async ({ connects }) => {
  for (const pair of ['00 02 61 00 00 01 76', '00 01 6e 00 02 61 00']) {
    const client = await connects()
    await client.sendsBytes(`30 0c 00 01 74 08 26 ${pair}`)
    await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  }
})

scenario('[5.0 MQTT-1.5.7-1] well-formed User Properties pass, empty ones too', async ({ connects }) => {
  const userProperties = [
    ['', ''],
    ['größe', '😀'],
    ['\ufeff', '']
  ] as const
  const client = await connects()
  await client.subscribes('t')
  await client.sends(publish('t', '', { userProperties }))
  await client.receives({ type: PacketType.Publish, topicName: 't', properties: { userProperties } })
})

scenario(
  '[5.0 MQTT-1.5.4-1] a User Name that is not well-formed text is refused before anybody is asked about it',
  async ({ raw, broker }) => {
    const asked: unknown[] = []
    await broker.restarts({ authenticate: ({ userName }) => ({ accepted: asked.push(userName) > 0 }) })
    const client = await raw()
    await client.sendsBytes('10 12 00 04 4d 51 54 54 05 82 00 00 00 00 01 61 00 02 61 ff')
    await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.MalformedPacket })
    await client.isClosed()
    const other = await raw()
    await other.isAccepted(connect({ clientId: 'b', userName: 'ä' }))
    if (asked.length !== 1 || asked[0] !== 'ä') throw new Error(`authenticate was asked about ${JSON.stringify(asked)}`)
  }
)
