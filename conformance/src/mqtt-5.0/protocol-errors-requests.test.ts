import { PacketType, PINGREQ, ReasonCode } from '@godwit/protocol'
import { disconnect, publish, scenario, type ScenarioOptions, subscribe } from '@godwit/testkit'
import { expect } from 'vitest'
import { packetBytes, packetHex } from '../packet-bytes.ts'

const { MalformedPacket, ProtocolError } = ReasonCode

interface Row {
  readonly section: string
  readonly what: string
  readonly packet: string
  /** Default: Protocol Error. */
  readonly reasonCode?: typeof MalformedPacket
}

/** A SUBSCRIBE to `t` with these properties. */
function subscribeWith(properties: string): string {
  return `82 [0001 [${properties}] 0001 't' 00]`
}

const malformed = { reasonCode: MalformedPacket } as const

const ROWS: readonly Row[] = [
  { section: '3.8.2.1.2', what: 'Subscription Identifier 0', packet: subscribeWith('0b 00') },
  { section: '3.8.2.1.2', what: 'Subscription Identifier twice', packet: subscribeWith('0b 01 0b 01') },
  {
    section: '3.8.2.1.2',
    what: 'a Subscription Identifier of five bytes',
    packet: subscribeWith('0b 80 80 80 80 01'),
    ...malformed
  },
  { section: '3.8.3', what: 'a SUBSCRIBE without payload', packet: '82 [0001 []]' },
  { section: '3.8.3.1', what: 'Maximum QoS 3', packet: "82 [0001 [] 0001 't' 03]" },
  { section: '3.8.3.1', what: 'Maximum QoS 3 behind a good filter', packet: "82 [0001 [] 0001 't' 00 0001 'u' 03]" },
  { section: '3.8.3.1', what: 'Retain Handling 3', packet: "82 [0001 [] 0001 't' 30]" },
  { section: '3.8.3.1', what: 'No Local on a Shared Subscription', packet: "82 [0001 [] 000a '$share/g/t' 04]" },
  { section: '3.8.3.1', what: 'a reserved option', packet: "82 [0001 [] 0001 't' c0]", ...malformed },
  { section: '3.8.3', what: 'a filter without options', packet: "82 [0001 [] 0001 't']", ...malformed },
  { section: '3.8.3', what: 'a filter cut short', packet: "82 [0001 [] 0003 't' 00]", ...malformed },
  { section: '2.2.2.2', what: 'a property of PUBLISH in SUBSCRIBE', packet: subscribeWith('01 00'), ...malformed },
  { section: '2.2.2.2', what: 'a Reason String in SUBSCRIBE', packet: subscribeWith('1f 0000'), ...malformed },
  { section: '2.2.2.1', what: 'a SUBSCRIBE without Property Length', packet: '82 [0001]', ...malformed },
  { section: '2.2.2.1', what: 'a Property Length beyond SUBSCRIBE', packet: "82 [0001 7f 0001 't' 00]", ...malformed },
  { section: '3.10.3', what: 'an UNSUBSCRIBE without payload', packet: 'a2 [0001 []]' },
  { section: '3.10.3', what: 'a filter cut short in UNSUBSCRIBE', packet: "a2 [0001 [] 0002 't']", ...malformed },
  { section: '2.2.2.2', what: 'a Subscription Identifier in UNSUBSCRIBE', packet: "a2 [0001 [0b 01] 0001 't']", ...malformed },
  { section: '2.2.2.1', what: 'an UNSUBSCRIBE without Property Length', packet: 'a2 [0001]', ...malformed },
  { section: '3.12', what: 'a PINGREQ that is not empty', packet: 'c0 [00]', ...malformed },
  { section: '3.14.2.2.2', what: 'Session Expiry Interval twice in DISCONNECT', packet: 'e0 [00 [11 00000000 11 00000000]]' },
  {
    section: '3.14.2.2.2',
    what: 'a Session Expiry Interval in DISCONNECT after none in CONNECT',
    packet: 'e0 [00 [11 00000001]]'
  },
  {
    section: '3.14.2.2.2',
    what: 'a session never to expire in DISCONNECT after none in CONNECT',
    packet: 'e0 [00 [11 ffffffff]]'
  },
  { section: '3.14.2.2.3', what: 'Reason String twice in DISCONNECT', packet: 'e0 [00 [1f 0000 1f 0000]]' },
  { section: '3.14.2.2.5', what: 'Server Reference twice in DISCONNECT', packet: 'e0 [00 [1c 0000 1c 0000]]' },
  { section: '2.2.2.2', what: 'a property of CONNECT in DISCONNECT', packet: 'e0 [00 [21 0001]]', ...malformed },
  { section: '3.14.3', what: 'a payload in DISCONNECT', packet: 'e0 [00 [] 00]', ...malformed },
  { section: '2.1.2', what: 'a CONNACK from a client', packet: '20 [00 00 []]' },
  { section: '2.1.2', what: 'a SUBACK from a client', packet: '90 [0001 [] 00]' },
  { section: '2.1.2', what: 'an UNSUBACK from a client', packet: 'b0 [0001 [] 00]' },
  { section: '2.1.2', what: 'a PINGRESP from a client', packet: 'd0 []' },
  { section: '2.1.2', what: 'a packet of type 0', packet: '00 []', ...malformed },
  { section: '3.15', what: 'an AUTH though CONNECT had no method', packet: "f0 [18 [15 0001 'm']]" },
  { section: '3.15', what: 'a re-authentication though CONNECT had no method', packet: "f0 [19 [15 0001 'm']]" }
]

for (const { section, what, packet, reasonCode = ProtocolError } of ROWS) {
  const code = `0x${reasonCode.toString(16)}`
  scenario(
    `[5.0 ${section}] ${what}: DISCONNECT ${code}, the will is published, nothing of it or behind it is done`,
    async ({ connects, broker }) => {
      const other = await connects({ clientId: 'other' })
      await other.subscribes(['will', 'behind'], { qos: 1 })
      const client = await connects({ clientId: 'client', will: { topicName: 'will', payload: 'gone' } })
      await client.sendsBytes(`${packetHex(packet)} ${packetHex("30 [0006 'behind' []] 82 [0001 [] 0001 'u' 00] e0 []")}`)
      await client.isDisconnected({ reasonCode })
      await other.receives({ type: PacketType.Publish, topicName: 'will', payload: 'gone' })
      await other.receivesNothing()
      expect(broker.running.counts).toMatchObject({ clients: 1, sessions: 1, subscriptions: 2 })
    }
  )
}

const AUTHENTICATING: ScenarioOptions = {
  enhancedAuthentication: (method) => (method === 'm' ? { next: () => ({ status: 'done', accepted: true }) } : undefined)
}

const AUTH_ROWS: readonly Row[] = [
  { section: '3.15.2.1', what: 'success, which only servers tell', packet: "f0 [00 [15 0001 'm']]" },
  { section: '3.15.2.1', what: 'success in short', packet: 'f0 []' },
  { section: '3.15.2.1', what: 'a Reason Code of another packet', packet: "f0 [87 [15 0001 'm']]" },
  { section: '3.15.2.2.2', what: 'no Authentication Method', packet: 'f0 [19 []]' },
  { section: '3.15.2.2.2', what: 'Authentication Method twice', packet: "f0 [19 [15 0001 'm' 15 0001 'm']]" },
  { section: '3.15.2.2.2', what: 'another Authentication Method', packet: "f0 [19 [15 0001 'n']]" },
  { section: '3.15.2.2.3', what: 'Authentication Data without a method', packet: 'f0 [19 [16 0000]]' },
  { section: '3.15.2.2.3', what: 'Authentication Data twice', packet: "f0 [19 [15 0001 'm' 16 0000 16 0000]]" },
  { section: '3.15.2.2.4', what: 'Reason String twice', packet: "f0 [19 [15 0001 'm' 1f 0000 1f 0000]]" },
  { section: '3.15.2.2.1', what: 'no Property Length', packet: 'f0 [19]', ...malformed },
  { section: '2.2.2.2', what: 'a property of another packet', packet: "f0 [19 [15 0001 'm' 21 0001]]", ...malformed }
]

for (const { section, what, packet, reasonCode = ProtocolError } of AUTH_ROWS) {
  scenario(`[5.0 ${section}] ${what} in AUTH: DISCONNECT 0x${reasonCode.toString(16)}`, AUTHENTICATING, async ({ connects }) => {
    const other = await connects()
    const client = await connects({ authenticationMethod: 'm' })
    await client.sendsBytes(packetBytes(packet))
    await client.isDisconnected({ reasonCode })
    await other.receivesNothing()
  })
}

const without = {
  features: { wildcardSubscriptionAvailable: false, subscriptionIdentifiersAvailable: false, sharedSubscriptionAvailable: false }
}

scenario(
  '[5.0 3.2.2.3.11] a Wildcard Subscription where there are none: DISCONNECT 0xA2',
  without,
  async ({ connects, broker }) => {
    for (const topicFilter of ['#', 'a/+', '+/b']) {
      const client = await connects()
      expect(client.connack.properties.wildcardSubscriptionAvailable).toBe(false)
      await client.sends(subscribe(1, ['plain', topicFilter]))
      await client.isDisconnected({ reasonCode: ReasonCode.WildcardSubscriptionsNotSupported })
    }
    expect(broker.running.counts.subscriptions).toBe(0)
  }
)

scenario(
  '[5.0 3.2.2.3.12] a Subscription Identifier where there are none: DISCONNECT 0xA1',
  without,
  async ({ connects, broker }) => {
    const client = await connects()
    expect(client.connack.properties.subscriptionIdentifiersAvailable).toBe(false)
    await client.sends(subscribe(1, ['plain'], { subscriptionIdentifier: 1 }))
    await client.isDisconnected({ reasonCode: ReasonCode.SubscriptionIdentifiersNotSupported })
    expect(broker.running.counts.subscriptions).toBe(0)
  }
)

scenario(
  '[5.0 3.2.2.3.13] a Shared Subscription where there are none: DISCONNECT 0x9E',
  without,
  async ({ connects, broker }) => {
    const client = await connects()
    expect(client.connack.properties.sharedSubscriptionAvailable).toBe(false)
    await client.sends(subscribe(1, ['plain', '$share/group/t']))
    await client.isDisconnected({ reasonCode: ReasonCode.SharedSubscriptionsNotSupported })
    expect(broker.running.counts.subscriptions).toBe(0)
  }
)

scenario('[5.0 3.2.2.3.11] what is available is granted there as ever', without, async ({ connects }) => {
  const client = await connects()
  await client.subscribes(['plain', '$other/topic'])
})

scenario(
  '[5.0 3.2.2.3.4] [5.0 3.2.2.3.5] a QoS, or RETAIN, that the server does not offer: DISCONNECT 0x9B or 0x9A',
  { features: { maximumQoS: 1, retainAvailable: false } },
  async ({ connects }) => {
    const demanding = await connects()
    await demanding.sends(publish('t', '', { qos: 2 }))
    await demanding.isDisconnected({ reasonCode: ReasonCode.QoSNotSupported })
    const keeping = await connects()
    await keeping.sends(publish('t', '', { qos: 1, retain: true }))
    await keeping.isDisconnected({ reasonCode: ReasonCode.RetainNotSupported })
  }
)

scenario(
  '[5.0 3.2.2.3.6] a packet above the Maximum Packet Size: DISCONNECT 0x95 as soon as its length is known',
  { limits: { packetBytesMax: 128 } },
  async ({ connects, raw }) => {
    const client = await connects()
    expect(client.connack.properties.maximumPacketSize).toBe(128)
    await client.sends(publish('t', 'x'.repeat(122)))
    await client.receivesNothing()
    await client.sendsBytes('30 7f')
    await client.isDisconnected({ reasonCode: ReasonCode.PacketTooLarge })
    const stranger = await raw()
    await stranger.sendsBytes('10 ff ff ff 7f')
    await stranger.isClosed()
  }
)

scenario(
  '[5.0 3.2.2.3.3] [5.0 4.9] more unacknowledged messages than the Receive Maximum: DISCONNECT 0x93',
  { limits: { receiveMaximum: 2 } },
  async ({ connects }) => {
    const client = await connects({ acknowledges: false })
    expect(client.connack.properties.receiveMaximum).toBe(2)
    for (const packetIdentifier of [1, 2]) {
      await client.sends(publish('t', '', { qos: 2, packetIdentifier }))
      await client.receives({ type: PacketType.Pubrec, packetIdentifier })
    }
    await client.sends(publish('t', '', { qos: 1, packetIdentifier: 3 }))
    await client.isDisconnected({ reasonCode: ReasonCode.ReceiveMaximumExceeded })
  }
)

scenario(
  '[5.0 3.14.2.2.2] a Session Expiry Interval in DISCONNECT is no error where CONNECT had one',
  async ({ connects, clock }) => {
    const client = await connects({ sessionExpirySeconds: 10 })
    await client.sends(disconnect(ReasonCode.NormalDisconnection, { sessionExpiryInterval: 100 }))
    await client.isClosed()
    await clock.advancesSeconds(50)
    const back = await client.reconnects()
    expect(back.connack.sessionPresent).toBe(true)
    await back.sends(disconnect(ReasonCode.NormalDisconnection, { sessionExpiryInterval: 0 }), PINGREQ)
    await back.isClosed()
    const again = await client.reconnects()
    expect(again.connack.sessionPresent).toBe(false)
  }
)
