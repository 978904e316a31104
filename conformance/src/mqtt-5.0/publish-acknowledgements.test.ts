import { PacketType, ReasonCode } from '@godwit/protocol'
import { puback, publish, pubcomp, pubrec, pubrel, scenario, type Scenario } from '@godwit/testkit'
import { expect } from 'vitest'

const PUBLISH_CODES: readonly number[] = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]
const RELEASE_CODES: readonly number[] = [0x00, 0x92]

/** Every Reason Code that an acknowledgement may not have ends the connection. */
function refusesOthers(firstByte: string, allowed: readonly number[]): (scenario: Scenario) => Promise<void> {
  return async ({ connects }) => {
    for (let reasonCode = 0; reasonCode <= 0xff; reasonCode++) {
      if (allowed.includes(reasonCode)) continue
      const client = await connects()
      await client.sendsBytes(`${firstByte} 03 00 01 ${reasonCode.toString(16).padStart(2, '0')}`)
      await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
    }
    const client = await connects({ acknowledges: false })
    for (const reasonCode of allowed) {
      await client.sendsBytes(`${firstByte} 03 00 01 ${reasonCode.toString(16).padStart(2, '0')}`)
    }
    client.ignoresTheRest()
    await client.publishes('t', 'still connected', { qos: 1 })
  }
}

const ONCE = { networks: ['whole'] } as const

scenario('[5.0 MQTT-3.4.2-1] PUBACK with a Reason Code that is not one of its own', ONCE, refusesOthers('40', PUBLISH_CODES))
scenario('[5.0 MQTT-3.5.2-1] PUBREC with a Reason Code that is not one of its own', ONCE, refusesOthers('50', PUBLISH_CODES))
scenario('[5.0 MQTT-3.6.2-1] PUBREL with a Reason Code that is not one of its own', ONCE, refusesOthers('62', RELEASE_CODES))
scenario('[5.0 MQTT-3.7.2-1] PUBCOMP with a Reason Code that is not one of its own', ONCE, refusesOthers('70', RELEASE_CODES))

scenario('[5.0 MQTT-2.2.1-5] [5.0 MQTT-4.13.1-1] an acknowledgement with Packet Identifier 0', async ({ connects }) => {
  for (const firstByte of ['40', '50', '62', '70']) {
    const client = await connects()
    await client.sendsBytes(`${firstByte} 02 00 00`)
    await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
  }
})

scenario('[5.0 MQTT-4.13.1-1] an acknowledgement that is cut short, or too long, is malformed', async ({ connects }) => {
  for (const firstByte of ['40', '50', '62', '70']) {
    for (const rest of ['01 00', '05 00 01 00 00 00', '04 00 01 00 01']) {
      const client = await connects()
      await client.sendsBytes(`${firstByte} ${rest}`)
      await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
    }
  }
})

scenario('[5.0 MQTT-3.6.1-1] [5.0 MQTT-4.13.1-1] PUBREL whose flags are not 0010 is malformed', async ({ connects }) => {
  for (let flags = 0; flags < 16; flags++) {
    if (flags === 0b0010) continue
    const client = await connects()
    await client.sendsBytes(`6${flags.toString(16)} 02 00 01`)
    await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  }
})

scenario('[5.0 MQTT-3.6.1-1] the server’s PUBREL has the flags 0010', async ({ connects }) => {
  const subscriber = await connects({ acknowledges: false })
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects()
  await publisher.publishes('t', 'a', { qos: 2 })
  await subscriber.receivesBytes('34 07 00 01 74 00 01 00 61')
  await subscriber.sends(pubrec(1))
  await subscriber.receivesBytes('62 02 00 01')
  await subscriber.sends(pubcomp(1))
})

scenario(
  '[5.0 MQTT-3.3.4-1] [5.0 MQTT-2.2.1-5] a PUBLISH is answered as its QoS asks: nothing, PUBACK or PUBREC, with its identifier',
  async ({ connects }) => {
    const subscriber = await connects()
    await subscriber.subscribes('t')
    const client = await connects()
    await client.sends(publish('t', '0', { qos: 0 }))
    await client.receivesNothing()
    await client.sends(publish('t', '1', { qos: 1, packetIdentifier: 65_535 }))
    await client.receivesBytes('40 02 ff ff')
    await client.sends(publish('t', '2', { qos: 2, packetIdentifier: 256 }))
    await client.receivesBytes('50 02 01 00')
    await client.sends(pubrel(256))
    await client.receivesBytes('70 02 01 00')
    for (const payload of ['0', '1', '2']) await subscriber.receives({ type: PacketType.Publish, payload })
  }
)

scenario(
  '[5.0 MQTT-3.4.2-1] [5.0 MQTT-3.5.2-1] a message that nobody subscribed to is answered with 0x10',
  async ({ connects, broker }) => {
    const client = await connects()
    await client.sends(publish('t', '', { qos: 1, packetIdentifier: 1 }))
    await client.receivesBytes('40 03 00 01 10')
    await client.sends(publish('t', '', { qos: 2, packetIdentifier: 2 }))
    await client.receivesBytes('50 03 00 02 10')
    await client.sends(pubrel(2))
    await client.receivesBytes('70 02 00 02')
    expect(broker.running.fates.get('no-subscriber')).toBe(2)
  }
)

const REFUSES_SECRETS = {
  authorize: (_client: unknown, request: { readonly action: string; readonly topicName?: string }) =>
    request.topicName !== 'secret'
}

scenario(
  '[5.0 MQTT-3.4.2-1] [5.0 MQTT-3.5.2-1] [5.0 MQTT-4.3.3-9] a message that is not authorized is answered with 0x87, and is nowhere',
  REFUSES_SECRETS,
  async ({ connects, broker }) => {
    const watcher = await connects()
    await watcher.subscribes('#', { qos: 2 })
    const client = await connects()
    await client.publishes('secret', 'x', { qos: 1, retain: true, expects: ReasonCode.NotAuthorized })
    await client.publishes('secret', 'x', { qos: 2, retain: true, expects: ReasonCode.NotAuthorized })
    await client.publishes('secret', 'x', { qos: 0, retain: true })
    await watcher.receivesNothing()
    expect(broker.running.counts.retainedMessages).toBe(0)
    expect(broker.running.fates.get('not-authorized')).toBe(3)
    // The identifier of the refused QoS 2 message stands for a new message now.
    await client.sends(publish('open', 'new', { qos: 2, packetIdentifier: 2 }))
    await client.receives({ type: PacketType.Pubrec, packetIdentifier: 2, reasonCode: ReasonCode.Success })
    await client.sends(pubrel(2))
    await client.receives({ type: PacketType.Pubcomp, packetIdentifier: 2, reasonCode: ReasonCode.Success })
    await watcher.receives({ type: PacketType.Publish, topicName: 'open', payload: 'new' })
  }
)

scenario(
  '[5.0 MQTT-3.4.2-1] [5.0 MQTT-3.5.2-1] a Topic Name that this server does not take is answered with 0x90',
  { limits: { topicBytesMax: 10, topicLevelsMax: 3 } },
  async ({ connects }) => {
    const client = await connects()
    for (const topicName of ['elevenbytes', 'a/b/c/d']) {
      await client.publishes(topicName, '', { qos: 1, expects: ReasonCode.TopicNameInvalid })
      await client.publishes(topicName, '', { qos: 2, expects: ReasonCode.TopicNameInvalid })
      await client.publishes(topicName, '')
    }
    await client.publishes('ten//bytes', '', { qos: 1, expects: ReasonCode.NoMatchingSubscribers })
  }
)

scenario(
  '[5.0 MQTT-3.6.2-1] [5.0 MQTT-3.7.2-1] an identifier that is not known is answered with 0x92: PUBREL by PUBCOMP, PUBREC by PUBREL',
  async ({ connects }) => {
    const client = await connects({ acknowledges: false })
    await client.sends(pubrel(77))
    await client.receivesBytes('70 03 00 4d 92')
    await client.sends(pubrec(77))
    await client.receivesBytes('62 03 00 4d 92')
    await client.sends(pubcomp(77), puback(77))
    await client.receivesNothing()
  }
)
