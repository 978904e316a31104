import { ConnectReturnCode, PacketType, PINGRESP, ProtocolVersion, ReasonCode } from '@godwit/protocol'
import { expect } from 'vitest'
import { publishes, rejection, served } from '../client-scenario.test.support.ts'
import { packetHex } from '../packet-bytes.ts'

const protocolVersion = ProtocolVersion.Mqtt311
/** What stands before the flags of every CONNECT: the protocol's name and level. */
const HEADER = "0004 'MQTT' 04"

served(
  '[3.1.1 MQTT-3.1.0-1] [3.1.1 MQTT-3.1.2-11] [3.1.1 MQTT-3.1.2-13] [3.1.1 MQTT-3.1.2-15] [3.1.1 MQTT-3.1.2-18] [3.1.1 MQTT-3.1.2-20] [3.1.1 MQTT-3.1.3-3] CONNECT comes first, with the ClientId and without what was not given',
  async ({ opens, isCalled }) => {
    await opens({ protocolVersion, clientId: 'device', keepAliveSeconds: 60 })
    const server = await isCalled()
    await server.receivesBytes(packetHex(`10 [${HEADER} 02 003c 0006 'device']`))
    await server.receivesNothing()
    server.ignoresTheRest()
  }
)

for (const [qos, flags] of [
  [0, 'e6'],
  [1, 'ee'],
  [2, 'f6']
] as const) {
  served(
    '[3.1.1 MQTT-3.1.2-9] [3.1.1 MQTT-3.1.2-14] [3.1.1 MQTT-3.1.2-19] [3.1.1 MQTT-3.1.2-21] [3.1.1 MQTT-3.1.3-1] the payload is ClientId, will, user name and password, in this order',
    async ({ opens, isCalled }) => {
      await opens({
        protocolVersion,
        clientId: 'd',
        keepAliveSeconds: 0,
        userName: 'u',
        password: 'p',
        will: { topic: 'w', payload: 'x', qos, retain: true, delaySeconds: 5, contentType: 'left out' }
      })
      const server = await isCalled()
      await server.receivesBytes(packetHex(`10 [${HEADER} ${flags} 0000 0001 'd' 0001 'w' 0001 'x' 0001 'u' 0001 'p']`))
      server.ignoresTheRest()
    }
  )
}

served('[3.1.1 MQTT-3.1.2-19] [3.1.1 MQTT-3.1.2-20] a user name may come alone', async ({ opens, isCalled }) => {
  await opens({ protocolVersion, userName: 'u' })
  await (await isCalled()).accepts()
})

served('[3.1.1 MQTT-3.1.2-22] a password may not', async ({ cannotOpen, isNotCalled }) => {
  const error = { code: 'invalid-argument', message: 'A password needs a userName before 5.0' }
  expect(await cannotOpen({ protocolVersion, password: 'p' })).toMatchObject(error)
  expect(await cannotOpen({ fallBack: true, password: 'p' })).toMatchObject(error)
  await isNotCalled()
})

served(
  '[3.1.1 MQTT-3.1.3-7] an empty ClientId asks for a clean session, whatever else was asked for',
  async ({ opens, isCalled, isCalledAgain }) => {
    await opens({ protocolVersion, clientId: '', cleanStart: false, sessionExpirySeconds: 3600 })
    const first = await isCalled()
    await first.receivesConnect({ clientId: '', cleanStart: true })
    await first.accepts()
    await first.breaks()
    const second = await isCalledAgain()
    await second.receivesConnect({ clientId: '', cleanStart: true })
    await second.accepts()
  }
)

served(
  '[3.1.1 MQTT-3.1.2-4] [3.1.1 MQTT-3.1.3-2] [3.1.1 MQTT-4.1.0-1] [3.1.1 MQTT-4.1.0-2] with Clean Session 0 both ends keep the session, under the ClientId',
  async ({ connects, isCalledAgain }) => {
    const [client, first] = await connects({ protocolVersion, sessionExpirySeconds: 3600 })
    expect(first.connect).toMatchObject({ clientId: 'device', cleanStart: false })
    const packetIdentifier = await publishes(client, first, 'kept', { qos: 1 })
    await first.breaks()
    const second = await isCalledAgain()
    await second.receivesConnect({ clientId: 'device', cleanStart: false })
    await second.accepts({ sessionPresent: true })
    await second.receives({ type: PacketType.Publish, topicName: 'kept', dup: true, packetIdentifier })
  }
)

served('[3.1.1 MQTT-3.1.2-6] with Clean Session 1 nothing of it is used again', async ({ connects, isCalledAgain }) => {
  const [client, first] = await connects({ protocolVersion })
  expect(first.connect.cleanStart).toBe(true)
  client.subscribe('f')
  await first.grants()
  await publishes(client, first, 'kept', { qos: 1 })
  await first.breaks()
  const second = await isCalledAgain()
  await second.receivesConnect({ cleanStart: true })
  await second.accepts()
  await second.grants()
  await second.receives({ type: PacketType.Publish, topicName: 'kept', dup: false })
})

served('a session that was to be discarded is none ([3.1.1 MQTT-3.2.2-1])', async ({ opens, isCalled, isCalledAgain }) => {
  await opens({ protocolVersion })
  const first = await isCalled()
  await first.accepts({ sessionPresent: true })
  await first.isClosed()
  await (await isCalledAgain()).accepts()
})

served('[3.1.1 MQTT-3.1.2-23] PINGREQ leaves before the keep alive is over', async ({ connects, clock }) => {
  const [, server] = await connects({ protocolVersion, keepAliveSeconds: 60 })
  server.answersPings = false
  for (let count = 0; count < 3; count++) {
    await clock.advancesSeconds(53)
    await server.receivesNothing()
    await clock.advancesSeconds(1)
    await server.receives({ type: PacketType.Pingreq })
    await server.sends(PINGRESP)
  }
})

for (const [returnCode, reasonCode] of [
  [ConnectReturnCode.UnacceptableProtocolVersion, ReasonCode.UnsupportedProtocolVersion],
  [ConnectReturnCode.IdentifierRejected, ReasonCode.ClientIdentifierNotValid],
  [ConnectReturnCode.ServerUnavailable, ReasonCode.ServerUnavailable],
  [ConnectReturnCode.BadUserNameOrPassword, ReasonCode.BadUserNameOrPassword],
  [ConnectReturnCode.NotAuthorized, ReasonCode.NotAuthorized]
] as const) {
  served(`Connect Return code ${returnCode} is told as its Reason Code ([3.1.1 3.2.2.3])`, async ({ opens, isCalled }) => {
    const client = await opens({ protocolVersion, reconnect: false })
    await (await isCalled()).refuses(returnCode)
    expect(await rejection(client.ready)).toMatchObject({ code: 'connection-refused', reasonCode })
  })
}

served(
  '[3.1.1 MQTT-3.14.4-1] [3.1.1 MQTT-3.14.4-2] DISCONNECT is the last, and then the connection is closed',
  async ({ connects }) => {
    const [client, server] = await connects({ protocolVersion })
    void client.publish('before', '')
    void client.close({ drainMs: 0 })
    void client.publish('behind', '')
    await server.receives({ type: PacketType.Publish, topicName: 'before' })
    await server.receivesBytes('e0 00')
    await server.isClosed()
  }
)
