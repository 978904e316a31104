import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connections, message, texts, uniqueClientId, uniqueTopicName } from './client-suite.ts'
import { type ForeignClients, NO_PROPERTIES, type ProtocolVersion, type TransportName, versionName } from './foreign-client.ts'
import { GodwitProcess } from './godwit-process.ts'
import { mqttJs } from './mqttjs-client.ts'
import { findPaho, Paho } from './paho-client.ts'

interface Side {
  readonly clients: ForeignClients
  readonly protocolVersion: ProtocolVersion
  readonly transport: TransportName
}

const python = findPaho()
const paho = python === undefined ? undefined : new Paho(python)
const pahoSides: readonly Side[] =
  paho === undefined
    ? []
    : [
        { clients: paho, protocolVersion: 3, transport: 'tcp' },
        { clients: paho, protocolVersion: 5, transport: 'tcp' }
      ]
const sides: readonly Side[] = [
  { clients: mqttJs, protocolVersion: 4, transport: 'tcp' },
  { clients: mqttJs, protocolVersion: 5, transport: 'websocket' },
  ...pahoSides
]
const without = python === undefined ? ' (without Paho: this machine has no python3-paho-mqtt)' : ''

describe(`Publishers and subscribers of different versions${without}`, () => {
  let godwit: GodwitProcess
  beforeAll(async () => {
    godwit = await GodwitProcess.start()
  })
  afterAll(async () => {
    paho?.close()
    await godwit.stop()
  })

  for (const from of sides) {
    for (const to of sides.filter(({ protocolVersion }) => protocolVersion !== from.protocolVersion)) {
      it(`${title(from)} to ${title(to)}`, async () => {
        const publishers = connections(from.clients, from, () => godwit)
        const subscribers = connections(to.clients, to, () => godwit)
        const topicName = uniqueTopicName()
        const clientId = uniqueClientId()
        const session = { clientId, cleanStart: false, sessionExpirySeconds: 60 }
        const online = await subscribers.connect(session)
        await online.subscribe(topicName, 2)
        const publisher = await publishers.connect()
        const properties = {
          ...NO_PROPERTIES,
          contentType: 'text/plain',
          userProperties: [['k', 'v']] satisfies [string, string][]
        }
        for (const qos of [0, 1, 2] as const) {
          const retain = qos === 2
          await publisher.publish(message(topicName, `online ${qos}`, { qos, retain, properties }))
          const received = await online.received.next()
          const visible = from.protocolVersion === 5 && to.protocolVersion === 5
          expect(received).toEqual(message(topicName, `online ${qos}`, { qos, properties: visible ? properties : NO_PROPERTIES }))
        }
        await online.disconnect()
        for (const qos of [1, 2] as const) await publisher.publish(message(topicName, `offline ${qos}`, { qos }))
        const back = await subscribers.connect(session)
        expect(back.sessionPresent).toBe(to.protocolVersion > 3)
        expect(texts(await back.received.take(2))).toEqual(['offline 1', 'offline 2'])
        const late = await subscribers.connect()
        await late.subscribe(topicName, 1)
        expect(await late.received.next()).toMatchObject({ retain: true, qos: 1, payload: Buffer.from('online 2') })
        await publishers.disconnectAll()
        await subscribers.disconnectAll()
      })
    }
  }
})

function title({ clients, protocolVersion }: Side): string {
  return `${clients.name} ${versionName(protocolVersion)}`
}
