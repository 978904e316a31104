import { PacketType, ReasonCode } from '@godwit/protocol'
import { scenario } from '@godwit/testkit'

scenario('[5.0 MQTT-3.1.3-9] the Will Message waits for the Will Delay Interval', async ({ clock, connects }) => {
  const watcher = await connects({ clientId: 'watcher' })
  await watcher.subscribes('will/+', { qos: 1 })
  const device = await connects({
    clientId: 'device',
    sessionExpirySeconds: 60,
    will: { topicName: 'will/device', payload: 'gone', qos: 1, willDelaySeconds: 5 }
  })
  await device.dropsConnection()
  await clock.advancesSeconds(4)
  await watcher.receivesNothing()
  await clock.advancesSeconds(1)
  await watcher.receives({ type: PacketType.Publish, topicName: 'will/device', payload: 'gone', qos: 1 })
})

scenario(
  '[5.0 MQTT-3.14.4-3] DISCONNECT with Reason Code 0x00 throws the Will Message away',
  async ({ connects, refuses, broker }) => {
    await broker.restarts({ authenticate: (request) => ({ accepted: request.userName !== 'nobody' }) })
    const watcher = await connects({ clientId: 'watcher' })
    await watcher.subscribes('will/+')
    const device = await connects({ clientId: 'device', will: { topicName: 'will/device', payload: 'gone' } })
    await device.disconnects()
    await watcher.receivesNothing()
    await refuses({ userName: 'nobody' }, ReasonCode.NotAuthorized)
  }
)
