import { randomUUID } from 'node:crypto'
import { type Client, type ClientOptions, connect, type Message, ProtocolVersion } from '@godwit/client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { AedesBroker, type Broker, Godwit, makePlace, Mosquitto, type Place, removePlace, type Scheme, urlOf } from './brokers.ts'
import { Mailbox, withinLimit } from './mailbox.ts'

const { Mqtt31, Mqtt311, Mqtt5 } = ProtocolVersion

interface BrokerUnderClient {
  readonly name: string
  readonly versions: readonly ProtocolVersion[]
  readonly make: () => Broker
  readonly isHere: boolean
  /** In which sessions outlive the process. */
  readonly durable: readonly ProtocolVersion[]
}

const BROKERS: readonly BrokerUnderClient[] = [
  { name: 'Godwit', versions: [Mqtt5, Mqtt311, Mqtt31], make: () => new Godwit(), isHere: true, durable: [Mqtt5, Mqtt311] },
  {
    name: 'Mosquitto',
    versions: [Mqtt5, Mqtt311, Mqtt31],
    make: () => new Mosquitto(),
    isHere: Mosquitto.isHere(),
    // Those of 5.0 that are connected when it is stopped it forgets (2.0.11).
    durable: [Mqtt311]
  },
  { name: 'Aedes', versions: [Mqtt311, Mqtt31], make: () => new AedesBroker(), isHere: true, durable: [] }
]

const SCHEMES: readonly Scheme[] = ['mqtt', 'mqtts', 'ws', 'unix']
const VERSION_NAMES = { [Mqtt31]: '3.1', [Mqtt311]: '3.1.1', [Mqtt5]: '5.0' } as const

const place = await makePlace()

for (const { name, versions, make, isHere, durable } of BROKERS) {
  const missing = !isHere ? ': not on this machine' : place === undefined ? ': no openssl on this machine' : ''
  describe.skipIf(missing !== '')(`our client on ${name}${missing}`, () => {
    const broker = make()
    beforeAll(async () => await broker.start(thePlace()))
    afterAll(async () => await broker.stop())

    const clients: Client[] = []
    afterEach(async () => {
      await Promise.all(clients.splice(0).map((client) => client.close({ drainMs: 0 })))
    })

    async function opens(scheme: Scheme, options: ClientOptions): Promise<Client> {
      const tls = scheme === 'mqtts' ? { ca: thePlace().certificate } : undefined
      const url = urlOf(thePlace(), scheme)
      const client = await withinLimit(
        connect(url, { tls, reconnect: { minimumDelayMs: 50, maximumDelayMs: 200 }, ...options }),
        `${name} at ${url}`
      )
      clients.push(client)
      return client
    }

    for (const [index, protocolVersion] of versions.entries()) {
      // The newest on every transport, the others on one.
      for (const scheme of index === 0 ? SCHEMES : SCHEMES.slice(0, 1)) {
        it(`MQTT ${VERSION_NAMES[protocolVersion]} over ${scheme}: each message arrives once and in order, at every QoS`, async () => {
          const topic = uniqueName('topic')
          const reader = await opens(scheme, { protocolVersion, clientId: uniqueName('r') })
          expect(reader.connection?.protocolVersion).toBe(protocolVersion)
          const received = new Mailbox<Message>('a message')
          const { granted } = reader.subscribe(`${topic}/#`, { qos: 2 }, (message) => received.push(message))
          expect(await withinLimit(granted, 'SUBACK')).toBe(2)
          const writer = await opens(scheme, { protocolVersion, clientId: uniqueName('w') })
          for (const qos of [0, 1, 2] as const) {
            const payloads = [Buffer.from('first'), Buffer.from([0, 255, 128, 10]), Buffer.alloc(70_000, 7), Buffer.alloc(0)]
            const many = Array.from({ length: 100 }, (_, count) => Buffer.from(String(count)))
            const all = [...payloads, ...many]
            const deliveries = all.map((payload) => writer.publish(`${topic}/${qos}`, payload, { qos }))
            await withinLimit(Promise.all(deliveries), 'acknowledgements')
            const messages = await received.take(all.length)
            expect(messages.map(({ payload }) => Buffer.from(payload))).toEqual(all)
            expect(messages.every((message) => message.qos === qos && message.topic === `${topic}/${qos}`)).toBe(true)
          }
        })
      }

      it(`MQTT ${VERSION_NAMES[protocolVersion]}: a session that was left is found again, with what came meanwhile`, async () => {
        const topic = uniqueName('topic')
        const session = { protocolVersion, clientId: uniqueName('s'), sessionExpirySeconds: 60, cleanStart: false }
        const before = await opens('mqtt', session)
        await withinLimit(before.subscribe(topic, { qos: 2 }).granted, 'SUBACK')
        await before.close()
        const writer = await opens('mqtt', { protocolVersion, clientId: uniqueName('w') })
        const sent = ['1', '2', '3', '4', '5', '6']
        const deliveries = sent.map((payload, count) => writer.publish(topic, payload, { qos: count % 2 === 0 ? 1 : 2 }))
        await withinLimit(Promise.all(deliveries), 'acknowledgements')
        const after = await opens('mqtt', session)
        expect(after.connection?.sessionPresent).toBe(true)
        const received = new Mailbox<Message>('a message of the session')
        after.subscribe(topic, { qos: 2 }, (message) => received.push(message))
        expectInOrder(await received.take(sent.length), sent)
      })
    }

    it.runIf(versions.includes(Mqtt5))('a request is answered', async () => {
      const topic = uniqueName('service')
      const service = await opens('mqtt', { clientId: uniqueName('s') })
      const { granted } = service.subscribe(topic, { qos: 1 }, (message) => void message.reply(`${message.text()}?`))
      await withinLimit(granted, 'SUBACK')
      const asking = await opens('mqtt', { clientId: uniqueName('a') })
      expect((await withinLimit(asking.request(topic, 'well'), 'the reply')).text()).toBe('well?')
    })

    for (const protocolVersion of versions.filter((each) => each !== Mqtt31)) {
      it(`MQTT ${VERSION_NAMES[protocolVersion]}: while the broker is restarted, what is published waits, and arrives`, async () => {
        const isDurable = durable.includes(protocolVersion)
        const topic = uniqueName('topic')
        const options = { protocolVersion, sessionExpirySeconds: 600 }
        const reader = await opens('mqtt', { ...options, clientId: uniqueName('r') })
        const received = new Mailbox<Message>('a message after the restart')
        await withinLimit(reader.subscribe(topic, { qos: 2 }, (message) => received.push(message)).granted, 'SUBACK')
        const writer = await opens('mqtt', { ...options, clientId: uniqueName('w') })
        await withinLimit(writer.publish(topic, 'before', { qos: 2 }), 'the acknowledgement')
        expect((await received.next()).text()).toBe('before')

        const disconnected = Promise.all([reader, writer].map((client) => nextEvent(client, 'disconnected')))
        await broker.stop()
        await withinLimit(disconnected, 'both clients to notice')
        const sent = Array.from({ length: 40 }, (_, count) => String(count))
        const publishes = (): PromiseLike<unknown>[] =>
          sent.map((payload, count) => writer.publish(topic, payload, { qos: count % 2 === 0 ? 1 : 2 }))
        const reconnected = nextEvent(reader, 'connected')
        // A broker that forgets its sessions has to be asked for the messages before they come.
        const early = isDurable ? publishes() : []
        await broker.start(thePlace())
        await withinLimit(reconnected, 'the reader to come back')
        if (!isDurable) await withinLimit(writer.publish(uniqueName('other'), '', { qos: 2 }), 'the writer to come back')
        await withinLimit(Promise.all([...early, ...(isDurable ? [] : publishes())]), 'acknowledgements')
        expectInOrder(await received.take(sent.length), sent)
        await withinLimit(writer.publish(topic, 'marker', { qos: 2 }), 'the acknowledgement')
        expect((await received.next()).text()).toBe('marker')
      })
    }
  })
}

afterAll(() => {
  if (place !== undefined) removePlace(place)
})

function thePlace(): Place {
  if (place === undefined) throw new Error('there is no openssl on this machine')
  return place
}

/** Each once; and of each QoS in their order, which is all that the standard promises. */
function expectInOrder(messages: readonly Message[], sent: readonly string[]): void {
  const texts = messages.map((message) => message.text())
  expect(texts.toSorted()).toEqual(sent.toSorted())
  for (const qos of [1, 2]) {
    const ofQoS = messages.filter((message) => message.qos === qos).map((message) => message.text())
    expect(ofQoS).toEqual(sent.filter((text) => ofQoS.includes(text)))
  }
}

/** At most 23 characters, for 3.1. */
function uniqueName(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`
}

function nextEvent(client: Client, name: 'connected' | 'disconnected'): Promise<void> {
  return new Promise((resolve) => {
    const off = client.on(name, () => {
      off()
      resolve()
    })
  })
}
