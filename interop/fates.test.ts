import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { uniqueClientId, uniqueTopicName } from './client-suite.ts'
import type { QoS } from './foreign-client.ts'
import { GodwitProcess } from './godwit-process.ts'
import {
  hasMosquittoClients,
  mosquittoPub,
  MosquittoSub,
  type MosquittoVersion,
  type PrintedMessage
} from './mosquitto-clients.ts'

const available = hasMosquittoClients()
const without = available ? '' : ' (skipped: this machine has no mosquitto-clients)'
const versions: readonly MosquittoVersion[] = ['mqttv31', 'mqttv311', 'mqttv5']

describe.skipIf(!available)(`what mosquitto_sub finds under $SYS${without}`, () => {
  let godwit: GodwitProcess
  const running = new Set<MosquittoSub>()
  beforeAll(async () => {
    godwit = await GodwitProcess.start()
  })
  afterEach(async () => {
    await Promise.all([...running].map((sub) => sub.kill()))
    running.clear()
  })
  afterAll(async () => {
    await godwit.stop()
  })

  async function subscribe(
    version: MosquittoVersion,
    topicFilter: string,
    flags: readonly string[] = [],
    qos: QoS = 0
  ): Promise<MosquittoSub> {
    const sub = await MosquittoSub.subscribe(godwit.port, version, topicFilter, qos, flags)
    running.add(sub)
    return sub
  }

  /** The first message that comes on a topic. */
  async function find(sub: MosquittoSub, topicName: string): Promise<PrintedMessage> {
    for (;;) {
      const received = await sub.received.next()
      if (received.topicName === topicName) return received
    }
  }

  for (const version of versions) {
    it(`-V ${version}: the version, the uptime and the clients, as retained messages`, async () => {
      const sub = await subscribe(version, '$SYS/#')
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
      await mosquittoPub(godwit.port, version, ['-i', publisher, '-t', topicName, '-m', 'to nobody'])
      const away = await subscribe(version, topicName, ['-c', '-i', subscriber], 1)
      await away.kill()
      await mosquittoPub(godwit.port, version, ['-i', publisher, '-t', topicName, '-m', 'at QoS 0', '-q', '0'])

      const fates = '$SYS/broker/fates'
      const byPublisher = await subscribe(version, `${fates}/clients/${publisher.replace('/', '%2F')}/#`)
      expect(await byPublisher.received.next()).toMatchObject({
        topicName: `${fates}/clients/${publisher.replace('/', '%2F')}/no-subscriber`,
        payload: '1'
      })
      const bySubscriber = await subscribe(version, `${fates}/clients/${subscriber}/#`)
      expect(await bySubscriber.received.next()).toMatchObject({
        topicName: `${fates}/clients/${subscriber}/subscriber-offline`,
        payload: '1'
      })
      const everything = await subscribe(version, `${fates}/#`)
      expect(Number((await find(everything, `${fates}/subscriber-offline`)).payload)).toBeGreaterThan(0)
      const drops: unknown = JSON.parse((await find(everything, `${fates}/recent`)).payload)
      expect(Array.isArray(drops) ? drops.slice(0, 2) : drops).toMatchObject([
        { fate: 'subscriber-offline', topicName, clientId: subscriber, payloadBytes: 8, count: 1 },
        { fate: 'no-subscriber', topicName, clientId: publisher, payloadBytes: 9, count: 1 }
      ])
    })
  }
})
