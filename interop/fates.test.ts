import { expect, it } from 'vitest'
import { uniqueClientId, uniqueTopicName } from './client-suite.ts'
import type { MosquittoSub, PrintedMessage } from './mosquitto-clients.ts'
import { describeMosquitto, everyVersion } from './mosquitto-suite.ts'

describeMosquitto('what mosquitto_sub finds under $SYS', [], ({ publish, subscribe }) => {
  /** The first message that comes on a topic. */
  async function find(sub: MosquittoSub, topicName: string): Promise<PrintedMessage> {
    for (;;) {
      const received = await sub.received.next()
      if (received.topicName === topicName) return received
    }
  }

  for (const version of everyVersion) {
    it(`-V ${version}: the version, the uptime and the clients, as retained messages`, async () => {
      const sub = await subscribe(version, '$SYS/#', 0)
      const values = new Map(
        (await sub.received.take(4)).map(({ topicName, payload, retain }) => [topicName, { payload, retain }])
      )
      expect(values.get('$SYS/broker/version')?.payload).toMatch(/^godwit version \d/)
      expect(values.get('$SYS/broker/uptime')?.payload).toMatch(/^\d+ seconds$/)
      expect([...values.values()].every(({ retain }) => retain)).toBe(true)
      expect(Number(values.get('$SYS/broker/clients/connected')?.payload)).toBeGreaterThan(0)
    })

    it(`-V ${version}: where a message went, by the publisher, by the subscriber, and among the latest`, async () => {
      const topicName = uniqueTopicName()
      const [publisher, subscriber] = [`${uniqueClientId()}/p`, uniqueClientId()]
      await publish(version, topicName, 0, ['-i', publisher, '-m', 'to nobody'])
      const away = await subscribe(version, topicName, 1, ['-c', '-i', subscriber])
      await away.kill()
      await publish(version, topicName, 0, ['-i', publisher, '-m', 'at QoS 0'])

      const fates = '$SYS/broker/fates'
      const byPublisher = await subscribe(version, `${fates}/clients/${publisher.replace('/', '%2F')}/#`, 0)
      expect(await byPublisher.received.next()).toMatchObject({
        topicName: `${fates}/clients/${publisher.replace('/', '%2F')}/no-subscriber`,
        payload: '1'
      })
      const bySubscriber = await subscribe(version, `${fates}/clients/${subscriber}/#`, 0)
      expect(await bySubscriber.received.next()).toMatchObject({
        topicName: `${fates}/clients/${subscriber}/subscriber-offline`,
        payload: '1'
      })
      const everything = await subscribe(version, `${fates}/#`, 0)
      expect(Number((await find(everything, `${fates}/subscriber-offline`)).payload)).toBeGreaterThan(0)
      const drops: unknown = JSON.parse((await find(everything, `${fates}/recent`)).payload)
      expect(Array.isArray(drops) ? drops.slice(0, 2) : drops).toMatchObject([
        { fate: 'subscriber-offline', topicName, clientId: subscriber, payloadBytes: 8, count: 1 },
        { fate: 'no-subscriber', topicName, clientId: publisher, payloadBytes: 9, count: 1 }
      ])
    })
  }
})
