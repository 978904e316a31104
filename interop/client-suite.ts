import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type Address,
  type ConnectOptions,
  type ForeignClient,
  type ForeignClients,
  type Message,
  NO_PROPERTIES,
  type ProtocolVersion,
  type QoS,
  type TransportName,
  versionName
} from './foreign-client.ts'
import { withinLimit } from './mailbox.ts'

const everyQoS: readonly QoS[] = [0, 1, 2]

/** What every client of another project must be able to do with Godwit, in one version over one transport. */
export function describeClients(
  clients: ForeignClients,
  protocolVersion: ProtocolVersion,
  transport: TransportName,
  address: () => Address
): void {
  describe(`${clients.name}, MQTT ${versionName(protocolVersion)} over ${transport}`, () => {
    const { connect, disconnectAll } = connections(clients, { protocolVersion, transport }, address)
    afterEach(disconnectAll)

    for (const qos of everyQoS) {
      it(`publishes and receives at QoS ${qos}, each message once and in order`, async () => {
        const topicName = uniqueTopicName()
        const subscriber = await connect()
        expect(subscriber.sessionPresent).toBe(false)
        expect(await subscriber.subscribe(topicName, qos)).toBe(qos)
        const publisher = await connect()
        const payloads = [Buffer.from('first'), Buffer.from([0, 255, 128, 10]), Buffer.alloc(70_000, 7), Buffer.alloc(0)]
        const messages = payloads.map((payload) => message(topicName, payload, { qos }))
        await Promise.all(messages.map((each) => publisher.publish(each)))
        expect(await subscriber.received.take(messages.length)).toEqual(messages)
        await expectNothingElse(subscriber, publisher, topicName)
      })
    }

    it('gets a message at the lower QoS of the publisher and the subscription', async () => {
      const topicName = uniqueTopicName()
      const subscriber = await connect()
      await subscriber.subscribe(topicName, 1)
      const publisher = await connect()
      for (const qos of everyQoS) await publisher.publish(message(topicName, `QoS ${qos}`, { qos }))
      const received = await subscriber.received.take(3)
      expect(received.map(({ qos }) => qos)).toEqual([0, 1, 1])
    })

    it('gets the retained message of a topic on subscribing, and none once it is removed', async () => {
      const topicName = uniqueTopicName()
      const publisher = await connect()
      await publisher.publish(message(topicName, 'older', { qos: 1, retain: true }))
      const kept = message(topicName, 'kept', { qos: 1, retain: true })
      await publisher.publish(kept)
      const early = await connect()
      await early.subscribe(topicName, 1)
      expect(await early.received.next()).toEqual(kept)
      await publisher.publish(message(topicName, '', { qos: 1, retain: true }))
      expect(await early.received.next()).toEqual(message(topicName, '', { qos: 1 }))
      const late = await connect()
      await late.subscribe(topicName, 1)
      await expectNothingElse(late, publisher, topicName)
    })

    it('leaves a Will Message when its connection is killed, and none when it disconnects', async () => {
      const topicName = uniqueTopicName()
      const watcher = await connect()
      await watcher.subscribe(topicName, 2)
      const will = message(topicName, 'gone', { qos: 2 })
      const polite = await connect({ will: { ...will, payload: Buffer.from('not to be seen') } })
      await polite.disconnect()
      const killed = await connect({ will })
      await killed.kill()
      expect(await watcher.received.next()).toEqual(will)
      await expectNothingElse(watcher, await connect(), topicName)
    })

    for (const ending of ['disconnect', 'kill'] satisfies ('disconnect' | 'kill')[]) {
      it(`finds its session after ${ending}, with what was published meanwhile in order`, async () => {
        const topicName = uniqueTopicName()
        const clientId = uniqueClientId()
        const session = { clientId, cleanStart: false, sessionExpirySeconds: 60 }
        const before = await connect(session)
        expect(before.sessionPresent).toBe(false)
        await before.subscribe(topicName, 2)
        await before[ending]()
        const publisher = await connect()
        const messages = Array.from({ length: 40 }, (_, index) =>
          message(topicName, `${index}`, { qos: index % 2 === 0 ? 1 : 2 })
        )
        await Promise.all(messages.map((each) => publisher.publish(each)))
        const after = await connect(session)
        // A 3.1 server cannot say so in CONNACK.
        expect(after.sessionPresent).toBe(protocolVersion > 3)
        const received = await after.received.take(messages.length)
        // [5.0 MQTT-4.6.0-5] orders a topic's messages of one QoS; a client hands on QoS 2 when it is released, which is later.
        for (const qos of [1, 2]) {
          const ofQoS = (each: Message): boolean => each.qos === qos
          expect(texts(received.filter(ofQoS))).toEqual(texts(messages.filter(ofQoS)))
        }
        await expectNothingElse(after, publisher, topicName)
        await after.disconnect()
        const anew = await connect({ clientId, cleanStart: true })
        expect(anew.sessionPresent).toBe(false)
      })
    }

    it('receives nothing more after unsubscribing', async () => {
      const topicName = uniqueTopicName()
      const subscriber = await connect()
      await subscriber.subscribe(topicName, 1)
      await subscriber.subscribe(`${topicName}/marker`, 1)
      const publisher = await connect()
      await publisher.publish(message(topicName, 'before', { qos: 1 }))
      expect(texts([await subscriber.received.next()])).toEqual(['before'])
      await subscriber.unsubscribe(topicName)
      await publisher.publish(message(topicName, 'after', { qos: 1 }))
      await publisher.publish(message(`${topicName}/marker`, 'marker', { qos: 1 }))
      expect(texts([await subscriber.received.next()])).toEqual(['marker'])
    })

    it('is disconnected by a second client with its ClientID, which goes on', async () => {
      const topicName = uniqueTopicName()
      const clientId = uniqueClientId()
      const first = await connect({ clientId })
      const second = await connect({ clientId })
      const reasonCode = await withinLimit(first.closed, 'the end of the first connection')
      expect(reasonCode).toBe(protocolVersion === 5 ? SESSION_TAKEN_OVER : undefined)
      await second.subscribe(topicName, 1)
      await expectNothingElse(second, second, topicName)
    })

    if (protocolVersion === 5) describeMqtt5(connect)
  })
}

const SESSION_TAKEN_OVER = 0x8e

function describeMqtt5(connect: Connect): void {
  it('passes on every property of a message, user properties in their order', async () => {
    const topicName = uniqueTopicName()
    const subscriber = await connect()
    await subscriber.subscribe(topicName, 1, { subscriptionIdentifier: 268_435_455 })
    const publisher = await connect()
    const properties = {
      userProperties: [
        ['z', '1'],
        ['a', 'ünï¢ode'],
        ['a', '']
      ] satisfies [string, string][],
      contentType: 'application/octet-stream',
      responseTopic: `${topicName}/response`,
      correlationData: Buffer.from([0, 1, 255]),
      messageExpiryInterval: undefined
    }
    await publisher.publish(message(topicName, 'request', { qos: 1, properties: { ...properties, subscriptionIdentifiers: [] } }))
    const expected = { ...properties, subscriptionIdentifiers: [268_435_455] }
    expect(await subscriber.received.next()).toEqual(message(topicName, 'request', { qos: 1, properties: expected }))
  })

  it('is answered on the response topic, with the correlation data', async () => {
    const topicName = uniqueTopicName()
    const requester = await connect()
    await requester.subscribe(`${topicName}/response`, 1)
    const responder = await connect()
    await responder.subscribe(topicName, 1)
    const correlationData = Buffer.from('question 7')
    const properties = { ...NO_PROPERTIES, responseTopic: `${topicName}/response`, correlationData }
    await requester.publish(message(topicName, 'how far?', { qos: 1, properties }))
    const request = await responder.received.next()
    const { responseTopic = '' } = request.properties
    const answer = { ...NO_PROPERTIES, correlationData: request.properties.correlationData }
    await responder.publish(message(responseTopic, '13,560 km', { qos: 1, properties: answer }))
    const response = await requester.received.next()
    expect(texts([response])).toEqual(['13,560 km'])
    expect(response.properties.correlationData).toEqual(correlationData)
  })

  it('sees how much of the Message Expiry Interval is left', async () => {
    const topicName = uniqueTopicName()
    const subscriber = await connect()
    await subscriber.subscribe(topicName, 1)
    await subscriber.publish(
      message(topicName, 'soon', { qos: 1, properties: { ...NO_PROPERTIES, messageExpiryInterval: 3600 } })
    )
    const { messageExpiryInterval } = (await subscriber.received.next()).properties
    expect(messageExpiryInterval).toBeGreaterThan(3590)
    expect(messageExpiryInterval).toBeLessThanOrEqual(3600)
  })

  it('shares a subscription with another client: each message goes to one of them, and both get some', async () => {
    const topicName = uniqueTopicName()
    const members = [await connect(), await connect()]
    for (const member of members) await member.subscribe(`$share/flock/${topicName}`, 1)
    const publisher = await connect()
    const all = Array.from({ length: 10 }, (_, index) => `${index}`)
    for (const each of all) await publisher.publish(message(topicName, each, { qos: 1 }))
    // Round-robin is the default; what is taken after the first half of each would be a message that went to both.
    const taken = await Promise.all(members.map((member) => member.received.take(all.length / 2)))
    expect(texts(taken.flat()).toSorted()).toEqual(all)
    for (const member of members) await member.subscribe(`${topicName}/marker`, 1)
    await publisher.publish(message(`${topicName}/marker`, 'marker', { qos: 1 }))
    for (const member of members) expect(texts([await member.received.next()])).toEqual(['marker'])
  })
}

type Connect = (options?: Partial<ConnectOptions>) => Promise<ForeignClient>

/** Connects clients for one test, and ends them after it. */
export function connections(
  clients: ForeignClients,
  common: Pick<ConnectOptions, 'protocolVersion' | 'transport'>,
  address: () => Address
): { readonly connect: Connect; readonly disconnectAll: () => Promise<void> } {
  const open = new Set<ForeignClient>()
  return {
    async connect(options) {
      const defaults = { clientId: uniqueClientId(), cleanStart: true, sessionExpirySeconds: 0 }
      const client = await clients.connect(address(), { ...defaults, ...common, ...options })
      open.add(client)
      void client.closed.then(() => open.delete(client))
      return client
    },
    async disconnectAll() {
      await Promise.all([...open].map((client) => client.disconnect()))
    }
  }
}

/** Publishes one message more and takes it: had there been another, it would have come first. */
async function expectNothingElse(subscriber: ForeignClient, publisher: ForeignClient, topicName: string): Promise<void> {
  const marker = message(topicName, `marker ${randomUUID()}`, { qos: 1 })
  await subscriber.subscribe(topicName, 1)
  await publisher.publish(marker)
  expect(texts([await subscriber.received.next()])).toEqual(texts([marker]))
}

export function message(topicName: string, payload: string | Buffer, given: Partial<Message> = {}): Message {
  return { topicName, payload: Buffer.from(payload), qos: 0, retain: false, properties: NO_PROPERTIES, ...given }
}

export function texts(messages: readonly Message[]): string[] {
  return messages.map(({ payload }) => payload.toString())
}

export function uniqueTopicName(): string {
  return `interop/${randomUUID()}`
}

export function uniqueClientId(): string {
  // 23 characters are what every server takes, and 3.1 allows no more.
  return randomUUID().replaceAll('-', '').slice(0, 23)
}
