import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connections, describeClients, message, uniqueTopicName } from './client-suite.ts'
import { NO_PROPERTIES } from './foreign-client.ts'
import { GodwitProcess } from './godwit-process.ts'
import { findPaho, Paho } from './paho-client.ts'

const python = findPaho()
const without = python === undefined ? ' (skipped: this machine has no python3-paho-mqtt)' : ''

describe.skipIf(python === undefined)(`Paho Python${without}`, () => {
  const paho = new Paho(python ?? '')
  let godwit: GodwitProcess
  beforeAll(async () => {
    godwit = await GodwitProcess.start()
  })
  afterAll(async () => {
    paho.close()
    await godwit.stop()
  })

  describeClients(paho, 3, 'tcp', () => godwit)
  describeClients(paho, 4, 'tcp', () => godwit)
  describeClients(paho, 5, 'tcp', () => godwit)
  describeClients(paho, 5, 'websocket', () => godwit)

  it('keeps the order of user properties also where a name comes again after another', async () => {
    const { connect, disconnectAll } = connections(paho, { protocolVersion: 5, transport: 'tcp' }, () => godwit)
    const topicName = uniqueTopicName()
    const client = await connect()
    await client.subscribe(topicName, 0)
    const userProperties: [string, string][] = [
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
      ['a', '1']
    ]
    await client.publish(message(topicName, '', { properties: { ...NO_PROPERTIES, userProperties } }))
    expect((await client.received.next()).properties.userProperties).toEqual(userProperties)
    await disconnectAll()
  })
})
