import { RawClient } from './raw-client.ts'

/** Two clients that nothing should disturb: what others do to the broker must not cost them a message. */
export const Witness = {
  /** Publishes one message after another until a time. @returns how many arrived @throws for one that is lost, repeated or early */
  async watch(port: number, until: number): Promise<number> {
    const publisher = await RawClient.connect(port, { clientId: 'witness-publisher' })
    const subscriber = await RawClient.connect(port, { clientId: 'witness-subscriber' })
    await subscriber.subscribe('witness', 2)
    let count = 0
    while (performance.now() < until) {
      const sent = `message ${count}`
      await publisher.publish('witness', sent, { qos: count % 2 === 0 ? 1 : 2 })
      const taken = await subscriber.take()
      if (taken !== sent) throw new Error(`the witness got ${taken} where ${sent} was next`)
      count++
    }
    await Promise.all([publisher.disconnect(), subscriber.disconnect()])
    return count
  }
}
