import { ConnectReturnCode, type ErrorReasonCode, PacketType, ReasonCode } from '@godwit/protocol'
import { connect, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

scenario(
  '[3.1.1 MQTT-3.1.4-4] [3.1.1 MQTT-3.2.2-1] an accepted CONNECT with CleanSession 1 is answered with 20 02 00 00',
  async ({ raw }) => {
    const client = await raw({ version: 4 })
    await client.sends(connect({ version: 4, clientId: 'device', cleanStart: true }))
    await client.receivesBytes('20 02 00 00')
    await client.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-3.2.2-1] Session Present is 0 with CleanSession 1 though there was a session',
  async ({ connects, raw }) => {
    const before = await connects({ version: 4, clientId: 'device', cleanStart: false })
    await before.disconnects()
    const client = await raw({ version: 4 })
    await client.sends(connect({ version: 4, clientId: 'device', cleanStart: true }))
    await client.receivesBytes('20 02 00 00')
  }
)

scenario(
  '[3.1.1 MQTT-3.2.2-2] [3.1.1 MQTT-3.2.2-3] Session Present tells with CleanSession 0 whether there is stored state',
  async ({ raw }) => {
    const first = await raw({ version: 4 })
    await first.sends(connect({ version: 4, clientId: 'device', cleanStart: false }))
    await first.receivesBytes('20 02 00 00')
    await first.disconnects()
    const second = await raw({ version: 4 })
    await second.sends(connect({ version: 4, clientId: 'device', cleanStart: false }))
    await second.receivesBytes('20 02 01 00')
    await second.dropsConnection()
    const third = await raw({ version: 4 })
    await third.sends(connect({ version: 4, clientId: 'device', cleanStart: false }))
    await third.receivesBytes('20 02 01 00')
  }
)

scenario('[3.1.1 MQTT-3.2.2-3] a session that ended is not present', async ({ connects, raw }) => {
  const stored = await connects({ version: 4, clientId: 'device', cleanStart: false })
  await stored.disconnects()
  const clean = await connects({ version: 4, clientId: 'device', cleanStart: true })
  await clean.disconnects()
  const client = await raw({ version: 4 })
  await client.sends(connect({ version: 4, clientId: 'device', cleanStart: false }))
  await client.receivesBytes('20 02 00 00')
})

const REFUSALS = [
  { reasonCode: ReasonCode.UnsupportedProtocolVersion, returnCode: ConnectReturnCode.UnacceptableProtocolVersion },
  { reasonCode: ReasonCode.ClientIdentifierNotValid, returnCode: ConnectReturnCode.IdentifierRejected },
  { reasonCode: ReasonCode.ServerUnavailable, returnCode: ConnectReturnCode.ServerUnavailable },
  { reasonCode: ReasonCode.ServerBusy, returnCode: ConnectReturnCode.ServerUnavailable },
  { reasonCode: ReasonCode.BadUserNameOrPassword, returnCode: ConnectReturnCode.BadUserNameOrPassword },
  { reasonCode: ReasonCode.NotAuthorized, returnCode: ConnectReturnCode.NotAuthorized },
  { reasonCode: ReasonCode.Banned, returnCode: ConnectReturnCode.NotAuthorized },
  { reasonCode: undefined, returnCode: ConnectReturnCode.NotAuthorized }
] as const

for (const { reasonCode, returnCode } of REFUSALS) {
  const reason = reasonCode === undefined ? 'no reason' : `reason 0x${reasonCode.toString(16)}`
  scenario(
    `[3.1.1 MQTT-3.2.2-4] [3.1.1 MQTT-3.2.2-5] a refusal with ${reason} is CONNACK 00 0${returnCode}, then the connection is closed`,
    async ({ broker, connects, raw }) => {
      const stored = await connects({ version: 4, clientId: 'device', cleanStart: false })
      await stored.disconnects()
      await broker.restarts({ authenticate: () => ({ accepted: false, reasonCode }) })
      const client = await raw({ version: 4 })
      await client.sends(connect({ version: 4, clientId: 'device', cleanStart: false }))
      await client.receivesBytes(`20 02 00 0${returnCode}`)
      await client.isClosed()
    }
  )
}

const UNFIT: readonly ErrorReasonCode[] = [
  ReasonCode.UnspecifiedError,
  ReasonCode.ImplementationSpecificError,
  ReasonCode.PayloadFormatInvalid,
  ReasonCode.TopicNameInvalid,
  ReasonCode.QoSNotSupported
]

for (const reasonCode of UNFIT) {
  scenario(
    `[3.1.1 MQTT-3.2.2-6] a refusal with reason 0x${reasonCode.toString(16)}, which no return code fits, closes without CONNACK`,
    async ({ broker, refuses }) => {
      await broker.restarts({ authenticate: () => ({ accepted: false, reasonCode }) })
      await refuses({ version: 4, clientId: 'device' }, undefined)
    }
  )
}

scenario('[3.1.1 MQTT-3.2.2-6] an authenticate hook that fails closes without CONNACK', async ({ broker, refuses }) => {
  const answers = [
    () => {
      throw new Error('no database')
    },
    () => Promise.reject(new Error('no database'))
  ]
  for (const authenticate of answers) {
    await broker.restarts({ authenticate })
    await refuses({ version: 4, clientId: 'device' }, undefined)
    expect(broker.loggedErrors.splice(0)).toHaveLength(1)
  }
})

scenario('[3.1.1 3.2.2.3] a will that the client may not publish is refused with return code 5', async ({ broker, refuses }) => {
  await broker.restarts({ authorize: () => false })
  await refuses({ version: 4, clientId: 'device', will: { topicName: 't' } }, ConnectReturnCode.NotAuthorized)
})

scenario(
  '[3.1.1 3.2.2.3] a server that takes no more clients answers with return code 3',
  { limits: { clientsMax: 1 } },
  async ({ connects, refuses }) => {
    const only = await connects({ version: 4, clientId: 'only' })
    await refuses({ version: 4, clientId: 'other' }, ConnectReturnCode.ServerUnavailable)
    await only.disconnects()
    await connects({ version: 4, clientId: 'other' })
  }
)

scenario(
  '[3.1.1 MQTT-3.2.0-1] CONNACK is the first packet that the server sends, also to a session with messages',
  async ({ connects, raw }) => {
    const device = await connects({ version: 4, clientId: 'device', cleanStart: false })
    await device.subscribes('t', { qos: 1 })
    await device.dropsConnection()
    const publisher = await connects({ version: 4 })
    await publisher.publishes('t', 'waiting', { qos: 1 })
    const back = await raw({ version: 4, clientId: 'device' })
    await back.sends(connect({ version: 4, clientId: 'device', cleanStart: false }))
    await back.receives({ type: PacketType.Connack, sessionPresent: true, reasonCode: ConnectReturnCode.Accepted })
    await back.receives({ type: PacketType.Publish, topicName: 't', payload: 'waiting' })
  }
)

scenario(
  '[3.1.1 MQTT-3.2.0-1] CONNACK comes first while the session is resumed and others publish to it',
  async ({ connects, raw, store, settles }) => {
    const device = await connects({ version: 4, clientId: 'device', cleanStart: false })
    await device.subscribes([
      ['t', { qos: 1 }],
      ['u', { qos: 0 }]
    ])
    await device.dropsConnection()
    const publisher = await connects({ version: 4 })
    store.holdsCommits()
    const back = await raw({ version: 4, clientId: 'device' })
    await back.sends(connect({ version: 4, clientId: 'device', cleanStart: false }))
    await publisher.publishes('u', 'too early')
    await back.receivesNothing()
    store.releasesCommits()
    await settles()
    await publisher.publishes('u', 'heard')
    await back.receives({ type: PacketType.Connack, sessionPresent: true, reasonCode: ConnectReturnCode.Accepted })
    await back.receives({ type: PacketType.Publish, topicName: 'u', payload: 'heard' })
  }
)
