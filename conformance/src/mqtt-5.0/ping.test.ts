import { PacketType, PINGREQ, ReasonCode } from '@godwit/protocol'
import { publish, scenario } from '@godwit/testkit'

scenario('[5.0 MQTT-3.12.4-1] each PINGREQ is answered by a PINGRESP', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('c0 00')
  await client.receivesBytes('d0 00')
  await client.sends(PINGREQ, PINGREQ, PINGREQ)
  for (let answer = 0; answer < 3; answer++) await client.receivesBytes('d0 00')
  await client.receivesNothing()
})

scenario('[5.0 MQTT-3.12.4-1] PINGRESP does not wait for the store', async ({ connects, store }) => {
  const subscriber = await connects({ sessionExpirySeconds: 60 })
  await subscriber.subscribes('t', { qos: 1 })
  await subscriber.dropsConnection()
  const client = await connects()
  store.holdsCommits()
  await client.sends(publish('t', '', { qos: 1 }), PINGREQ)
  await client.receives({ type: PacketType.Pingresp })
  await client.receivesNothing()
  store.releasesCommits()
  await client.receives({ type: PacketType.Puback, packetIdentifier: 1 })
})

scenario('[5.0 MQTT-4.13.1-1] a PINGREQ that is longer than its fixed header is malformed', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('c0 01 00')
  await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
})

scenario('[5.0 MQTT-4.13.1-1] a PINGRESP is not for clients to send', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('d0 00')
  await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
})
