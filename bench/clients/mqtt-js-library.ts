import mqtt from 'mqtt'
import { type Library, TOPIC } from './library.ts'

export async function openMqttJs(url: string): Promise<Library> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5 })
  return {
    publish(count, payload, qos) {
      const { promise, resolve, reject } = Promise.withResolvers<undefined>()
      const bytes = Buffer.from(payload)
      let acknowledged = 0
      const onAcknowledged = (error?: Error): void => {
        if (error !== undefined && error !== null) reject(error)
        else if (++acknowledged === count) resolve(undefined)
      }
      for (let sent = 0; sent < count; sent++) client.publish(TOPIC, bytes, { qos }, onAcknowledged)
      return promise
    },
    async subscribe(qos, onMessage) {
      client.on('message', onMessage)
      await client.subscribeAsync(TOPIC, { qos })
    },
    async close() {
      await client.endAsync(true)
    }
  }
}
