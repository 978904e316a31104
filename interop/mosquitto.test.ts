import { describe, expect, it } from 'vitest'
import { uniqueClientId, uniqueTopicName } from './client-suite.ts'
import type { QoS } from './foreign-client.ts'
import { withinLimit } from './mailbox.ts'
import type { MosquittoSub, MosquittoVersion } from './mosquitto-clients.ts'
import { describeMosquitto, everyVersion } from './mosquitto-suite.ts'

const everyQoS: readonly QoS[] = [0, 1, 2]
const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`)

describeMosquitto('mosquitto_pub and mosquitto_sub', [], ({ publish, subscribe, run }) => {
  /** Publishes one message more and takes it: had there been another, it would have come first. */
  async function expectNothingElse(sub: MosquittoSub, version: MosquittoVersion, topicName: string): Promise<void> {
    await publish(version, topicName, 1, ['-m', 'marker'])
    expect((await sub.received.next()).payload).toBe('marker')
  }

  for (const version of everyVersion) {
    describe(`-V ${version}`, () => {
      for (const qos of everyQoS) {
        it(`publishes and receives at QoS ${qos}, each message once and in order`, async () => {
          const topicName = uniqueTopicName()
          const sub = await subscribe(version, topicName, qos)
          await publish(version, topicName, qos, ['-l'], `${lines.join('\n')}\n`)
          const received = await sub.received.take(lines.length)
          expect(received.map(({ payload }) => payload)).toEqual(lines)
          expect(received.every((each) => each.qos === qos && !each.retain && each.topicName === topicName)).toBe(true)
          await expectNothingElse(sub, version, topicName)
        })
      }

      it('gets the retained message of a topic on subscribing, and none once it is removed', async () => {
        const topicName = uniqueTopicName()
        await publish(version, topicName, 1, ['-r', '-m', 'kept'])
        const early = await subscribe(version, topicName, 1)
        expect(await early.received.next()).toMatchObject({ payload: 'kept', retain: true, qos: 1 })
        await publish(version, topicName, 1, ['-r', '-n'])
        expect(await early.received.next()).toMatchObject({ payload: '', retain: false })
        await expectNothingElse(await subscribe(version, topicName, 1), version, topicName)
      })

      it('leaves a Will Message when it is killed, and none when it disconnects', async () => {
        const topicName = uniqueTopicName()
        const watcher = await subscribe(version, topicName, 2)
        const will = (payload: string): string[] => ['--will-topic', topicName, '--will-payload', payload, '--will-qos', '2']
        await run(version, ['-t', `${topicName}/other`, '-E', ...will('not to be seen')])
        const killed = await subscribe(version, `${topicName}/other`, 0, will('gone'))
        await killed.kill()
        expect(await watcher.received.next()).toMatchObject({ payload: 'gone', qos: 2, retain: false })
        await expectNothingElse(watcher, version, topicName)
      })

      for (const qos of [1, 2] satisfies QoS[]) {
        it(`finds its session after being killed, with what was published meanwhile at QoS ${qos} in order`, async () => {
          const topicName = uniqueTopicName()
          const session = ['-c', '-i', uniqueClientId()]
          const before = await subscribe(version, topicName, qos, session)
          await before.kill()
          await publish(version, topicName, qos, ['-l'], `${lines.join('\n')}\n`)
          const after = await subscribe(version, topicName, qos, session)
          const received = await after.received.take(lines.length)
          expect(received.map(({ payload }) => payload)).toEqual(lines)
          await expectNothingElse(after, version, topicName)
        })
      }

      it('receives nothing more for its session after unsubscribing', async () => {
        const topicName = uniqueTopicName()
        const marker = `${topicName}/marker`
        const session = ['-c', '-i', uniqueClientId()]
        const first = await run(version, [...session, '-t', topicName, '-q', '1', '-E'])
        const second = await run(version, [...session, '-U', topicName, '-t', marker, '-q', '1', '-E'])
        expect([first, second]).toEqual([0, 0])
        await publish(version, topicName, 1, ['-m', 'after'])
        await publish(version, marker, 1, ['-m', 'marker'])
        const back = await subscribe(version, marker, 1, session)
        expect((await back.received.next()).payload).toBe('marker')
      })
    })
  }

  for (const [from, to] of [
    ['mqttv31', 'mqttv5'],
    ['mqttv5', 'mqttv31'],
    ['mqttv311', 'mqttv5'],
    ['mqttv5', 'mqttv311']
  ] satisfies [MosquittoVersion, MosquittoVersion][]) {
    it(`goes from ${from} to ${to}`, async () => {
      const topicName = uniqueTopicName()
      const sub = await subscribe(to, topicName, 2)
      const properties = from === 'mqttv5' ? ['-D', 'publish', 'content-type', 'text/plain'] : []
      for (const qos of everyQoS) {
        await publish(from, topicName, qos, ['-m', `QoS ${qos}`, ...properties])
        expect(await sub.received.next()).toMatchObject({ payload: `QoS ${qos}`, qos, properties: {} })
      }
    })
  }

  it('passes on every property of a message, user properties in their order', async () => {
    const topicName = uniqueTopicName()
    const sub = await subscribe('mqttv5', topicName, 1, ['-D', 'subscribe', 'subscription-identifier', '127'])
    const properties = [
      ['user-property', 'z', '1'],
      ['user-property', 'a', '2'],
      ['user-property', 'z', '3'],
      ['content-type', 'text/plain'],
      ['response-topic', 'responses/7'],
      ['correlation-data', 'seven'],
      ['message-expiry-interval', '3600']
    ].flatMap((property) => ['-D', 'publish', ...property])
    await publish('mqttv5', topicName, 1, ['-m', 'request', ...properties])
    const received = await sub.received.next()
    expect(received.properties).toMatchObject({
      'content-type': 'text/plain',
      'response-topic': 'responses/7',
      'correlation-data': 'seven',
      'subscription-identifier': 127
    })
    expect([3599, 3600]).toContain(received.properties['message-expiry-interval'])
    expect(received.printed).toContain('"user-properties":{"z":"1","a":"2","z":"3"}')
  })

  it('shares a subscription between two: each message goes to one of them, and both get some', async () => {
    const topicName = uniqueTopicName()
    const members = [
      await subscribe('mqttv5', `$share/flock/${topicName}`, 1),
      await subscribe('mqttv5', `$share/flock/${topicName}`, 1)
    ]
    await publish('mqttv5', topicName, 1, ['-l'], `${lines.join('\n')}\n`)
    const taken = await Promise.all(members.map((member) => member.received.take(lines.length / 2)))
    const payloads = taken.flat().map(({ payload }) => payload)
    expect(payloads.toSorted()).toEqual(lines.toSorted())
  })

  it('leaves a Will Message when it disconnects with the wish for it', async () => {
    const topicName = uniqueTopicName()
    const watcher = await subscribe('mqttv5', topicName, 1)
    const will = ['--will-topic', topicName, '--will-payload', 'farewell', '--will-qos', '1']
    const interrupted = await subscribe('mqttv5', `${topicName}/other`, 0, will)
    await interrupted.interrupt()
    expect((await watcher.received.next()).payload).toBe('farewell')
  })

  it('is disconnected with the reason when another takes its ClientID', async () => {
    const clientId = uniqueClientId()
    const topicName = uniqueTopicName()
    const first = await subscribe('mqttv5', topicName, 1, ['-i', clientId])
    const second = await subscribe('mqttv5', topicName, 1, ['-i', clientId])
    expect(await withinLimit(first.disconnected, 'DISCONNECT')).toBe(0x8e)
    await expectNothingElse(second, 'mqttv5', topicName)
  })
})
