import { connect } from '@godwit/client'
import { type Library, TOPIC } from './library.ts'

export async function openGodwit(url: string): Promise<Library> {
  const client = await connect(url)
  return {
    async publish(count, payload, qos) {
      for (let sent = 0; sent < count; sent++) client.publish(TOPIC, payload, { qos })
      await client.drained()
    },
    async subscribe(qos, onMessage) {
      await client.subscribe(TOPIC, { qos }, onMessage).granted
    },
    async close() {
      await client.close()
    }
  }
}
