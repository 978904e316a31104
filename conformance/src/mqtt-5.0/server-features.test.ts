import { PacketType, ReasonCode } from '@godwit/protocol'
import { publish, scenario, subscribe } from '@godwit/testkit'
import { expect } from 'vitest'

for (const maximumQoS of [0, 1] as const) {
  scenario(
    `[5.0 MQTT-3.2.2-9] a server of Maximum QoS ${maximumQoS} says so`,
    { features: { maximumQoS } },
    async ({ connects }) => {
      const { connack } = await connects()
      expect(connack.properties.maximumQoS).toBe(maximumQoS)
    }
  )

  scenario(
    `[5.0 MQTT-3.2.2-10] a server of Maximum QoS ${maximumQoS} takes subscriptions of every QoS`,
    { features: { maximumQoS } },
    async ({ connects }) => {
      const client = await connects()
      await client.sends(subscribe(1, ['0', ['1', { qos: 1 }], ['2', { qos: 2 }]]))
      const { reasonCodes } = await client.receives({ type: PacketType.Suback, packetIdentifier: 1 })
      expect(reasonCodes.every((reasonCode) => reasonCode <= 2)).toBe(true)
      await client.publishes('2', 'message', { qos: maximumQoS })
      await client.receives({ type: PacketType.Publish, topicName: '2', payload: 'message', qos: maximumQoS })
    }
  )

  scenario(
    `[5.0 MQTT-3.2.2-11] PUBLISH above a Maximum QoS of ${maximumQoS} is refused`,
    { features: { maximumQoS } },
    async ({ connects }) => {
      const client = await connects()
      await client.sends(publish('t', '', { qos: maximumQoS === 0 ? 1 : 2 }))
      await client.isDisconnected({ reasonCode: ReasonCode.QoSNotSupported })
    }
  )

  scenario(
    `[5.0 MQTT-3.2.2-12] a Will QoS above a Maximum QoS of ${maximumQoS} is refused`,
    { features: { maximumQoS } },
    async ({ connects, refuses }) => {
      await refuses({ clientId: 'a', will: { topicName: 't', qos: maximumQoS === 0 ? 1 : 2 } }, ReasonCode.QoSNotSupported)
      await connects({ clientId: 'a', will: { topicName: 't', qos: maximumQoS } })
    }
  )
}

scenario('[5.0 MQTT-3.2.2-9] a server of QoS 2 does not speak of a Maximum QoS', async ({ connects }) => {
  const { connack } = await connects()
  expect(connack.properties).not.toHaveProperty('maximumQoS')
})

const WITHOUT_RETAIN = { features: { retainAvailable: false } }

scenario(
  '[5.0 MQTT-3.2.2-13] Will Retain 1 is refused where messages are not retained',
  WITHOUT_RETAIN,
  async ({ connects, refuses }) => {
    await refuses({ clientId: 'a', will: { topicName: 't', retain: true } }, ReasonCode.RetainNotSupported)
    const { connack } = await connects({ clientId: 'a', will: { topicName: 't' } })
    expect(connack.properties.retainAvailable).toBe(false)
  }
)

scenario('[5.0 MQTT-3.2.2-14] RETAIN 1 is refused where messages are not retained', WITHOUT_RETAIN, async ({ connects }) => {
  const client = await connects()
  await client.sends(publish('t', 'keep', { retain: true }))
  await client.isDisconnected({ reasonCode: ReasonCode.RetainNotSupported })
})
