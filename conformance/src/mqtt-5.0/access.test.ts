import { PacketType, PINGREQ, ReasonCode } from '@godwit/protocol'
import { connect, publish, pubrel, scenario, subscribe } from '@godwit/testkit'
import { expect } from 'vitest'

scenario(
  '[5.0 MQTT-3.1.4-2] an authentication that takes time holds its own client only',
  async ({ raw, connects, broker, settles }) => {
    const verdict = Promise.withResolvers<{ readonly accepted: true }>()
    await broker.restarts({ authenticate: ({ clientId }) => (clientId === 'slow' ? verdict.promise : { accepted: true }) })
    const slow = await raw()
    await slow.sends(connect({ clientId: 'slow' }), subscribe(1, ['t']), publish('t', 'mine'), PINGREQ)
    const other = await connects()
    await other.subscribes('t')
    await other.publishes('t', 'other')
    await other.receives({ type: PacketType.Publish, payload: 'other' })
    await slow.receivesNothing()
    verdict.resolve({ accepted: true })
    await settles()
    await slow.receives({ type: PacketType.Connack, reasonCode: ReasonCode.Success })
    await slow.receives({ type: PacketType.Suback, packetIdentifier: 1 })
    await slow.receives({ type: PacketType.Publish, payload: 'mine' })
    await slow.receives({ type: PacketType.Pingresp })
    await other.receives({ type: PacketType.Publish, payload: 'mine' })
  }
)

scenario(
  '[5.0 MQTT-4.6.0-5] authorizations that take different times do not change the order of a client’s packets',
  async ({ connects, broker, settles }) => {
    const verdicts = new Map(['t/1', 't/2', 't/3'].map((topicName) => [topicName, Promise.withResolvers<boolean>()]))
    await broker.restarts({
      authorize: (_client, request) => (request.action === 'publish' ? (verdicts.get(request.topicName)?.promise ?? true) : true)
    })
    const watcher = await connects()
    await watcher.subscribes('t/#')
    const client = await connects()
    await client.sends(
      publish('t/1', '', { qos: 1, packetIdentifier: 1 }),
      publish('t/2', '', { qos: 2, packetIdentifier: 2 }),
      pubrel(2),
      publish('t/3'),
      publish('t/4', '', { qos: 1, packetIdentifier: 4 }),
      PINGREQ
    )
    await watcher.publishes('t/own', 'not held')
    await watcher.receives({ type: PacketType.Publish, topicName: 't/own' })
    for (const topicName of ['t/3', 't/2', 't/1']) {
      await client.receivesNothing()
      verdicts.get(topicName)?.resolve(true)
      await settles()
    }
    await client.receives({ type: PacketType.Puback, packetIdentifier: 1 })
    await client.receives({ type: PacketType.Pubrec, packetIdentifier: 2 })
    await client.receives({ type: PacketType.Pubcomp, packetIdentifier: 2 })
    await client.receives({ type: PacketType.Puback, packetIdentifier: 4 })
    await client.receives({ type: PacketType.Pingresp })
    for (const topicName of ['t/1', 't/2', 't/3', 't/4']) await watcher.receives({ type: PacketType.Publish, topicName })
  }
)

scenario(
  'a SUBSCRIBE whose filters are authorized one by one is answered by one SUBACK [5.0 3.9.3]',
  async ({ connects, broker }) => {
    await broker.restarts({
      authorize: (_client, request) =>
        request.action === 'publish' ||
        (request.topicFilter === 'slow' ? Promise.resolve(true) : request.topicFilter !== 'forbidden')
    })
    const client = await connects()
    await client.sends(subscribe(1, ['open', ['forbidden', { qos: 1 }], ['slow', { qos: 2 }]]), PINGREQ)
    await client.receives({
      type: PacketType.Suback,
      packetIdentifier: 1,
      reasonCodes: [ReasonCode.GrantedQoS0, ReasonCode.NotAuthorized, ReasonCode.GrantedQoS2]
    })
    await client.receives({ type: PacketType.Pingresp })
  }
)

scenario(
  'a client that goes while its packet is judged is not heard any more [5.0 3.14.4]',
  async ({ connects, broker, settles }) => {
    const verdict = Promise.withResolvers<boolean>()
    await broker.restarts({ authorize: (_client, request) => (request.action === 'publish' ? verdict.promise : true) })
    const watcher = await connects()
    await watcher.subscribes('t')
    const client = await connects({ clientId: 'a' })
    await client.sends(publish('t', 'unheard', { qos: 1 }))
    await client.dropsConnection()
    verdict.resolve(true)
    await settles()
    await watcher.receivesNothing()
    expect(broker.running.counts.clients).toBe(1)
  }
)

for (const [how, authenticate] of [
  [
    'throws',
    () => {
      throw new Error('the user database is down')
    }
  ],
  ['rejects', () => Promise.reject(new Error('the user database is down'))]
] as const) {
  scenario(
    `[5.0 MQTT-3.1.4-2] an authenticate hook that ${how} refuses, and tells the client nothing of why`,
    async ({ refuses, broker }) => {
      await broker.restarts({ authenticate })
      const connack = await refuses({ clientId: 'a' }, ReasonCode.ImplementationSpecificError)
      expect(connack?.properties.reasonString).not.toContain('database')
      expect(broker.loggedErrors.splice(0)).toEqual([expect.stringContaining('the user database is down')])
    }
  )
}

for (const [how, fail] of [
  [
    'throws',
    (): boolean => {
      throw new Error('the rules are gone')
    }
  ],
  ['rejects', (): Promise<boolean> => Promise.reject(new Error('the rules are gone'))]
] as const) {
  scenario(`an authorize hook that ${how} refuses, and the connection goes on [5.0 4.13.1]`, async ({ connects, broker }) => {
    await broker.restarts({ authorize: (_client, request) => (request.qos === 0 ? true : fail()) })
    const client = await connects()
    await client.publishes('t', '', { qos: 1, expects: ReasonCode.NotAuthorized })
    await client.publishes('t', '', { qos: 2, expects: ReasonCode.NotAuthorized })
    await client.subscribes('t', { qos: 1, expects: [ReasonCode.NotAuthorized] })
    await client.subscribes('t')
    await client.publishes('t', 'works')
    await client.receives({ type: PacketType.Publish, payload: 'works' })
    expect(broker.loggedErrors.splice(0)).toHaveLength(3)
  })
}

scenario('an exchange that throws refuses the client [5.0 4.12]', async ({ refuses, broker }) => {
  await broker.restarts({
    enhancedAuthentication: () => ({
      next() {
        throw new Error('no such user')
      }
    })
  })
  await refuses({ clientId: 'a', authenticationMethod: 'ASK' }, ReasonCode.ImplementationSpecificError)
  expect(broker.loggedErrors.splice(0)).toHaveLength(1)
})

scenario(
  'the application may give a client another user name, and User Properties in CONNACK [5.0 3.2.2.3.10]',
  async ({ connects, broker }) => {
    const userNames: (string | undefined)[] = []
    await broker.restarts({
      authenticate: () => ({ accepted: true, userName: 'from the token', userProperties: [['zone', '1']] }),
      authorize: ({ userName }) => userNames.push(userName) > 0
    })
    const client = await connects({ userName: 'as sent' })
    expect(client.connack.properties.userProperties).toEqual([['zone', '1']])
    await client.publishes('t')
    expect(userNames).toEqual(['from the token'])
  }
)
