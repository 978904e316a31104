import { createBroker } from '@godwit/broker'
import { ReasonCode } from '@godwit/protocol'
import { expect, onTestFinished, test } from 'vitest'
import { served } from './client-scenario.test.support.ts'
import { connect } from './connect.ts'
import { scramServer } from './scram-server.test.support.ts'
import { scramSha256 } from './scram.ts'

/** A broker on TCP that lets in whoever knows the password of `pump`. */
async function listening(): Promise<string> {
  const broker = await createBroker(scramServer({ pump: 'correct horse' }))
  onTestFinished(() => broker.close())
  const listener = await broker.listen({ kind: 'tcp', port: 0 })
  return listener.url
}

test('a client authenticates with SCRAM, and does so again', async () => {
  const authentication = scramSha256({ userName: 'pump', password: 'correct horse' })
  await using client = await connect(await listening(), { authentication })
  expect(client.connection?.properties).toMatchObject({ authenticationMethod: 'SCRAM-SHA-256' })
  await client.reauthenticate()
  await client.reauthenticate()
  expect(await client.publish('pump/7', 'on', { qos: 1 })).toMatchObject({ reasonCode: ReasonCode.NoMatchingSubscribers })
})

test('a client with the wrong password is refused', async () => {
  const authentication = scramSha256({ userName: 'pump', password: 'battery staple' })
  await expect(connect(await listening(), { authentication })).rejects.toMatchObject({
    code: 'connection-refused',
    reasonCode: ReasonCode.NotAuthorized
  })
})

const authentication = scramSha256({ userName: 'pump', password: 'correct horse' })

served(
  'a server that accepts without proving anything is left, whether it names the method or not',
  async ({ opens, isCalled }) => {
    for (const [properties, message] of [
      [{}, 'The server changed the Authentication Method to none'],
      [{ authenticationMethod: 'PLAIN' }, 'The server changed the Authentication Method to PLAIN'],
      [
        { authenticationMethod: 'SCRAM-SHA-256' },
        'SCRAM with the server failed: it wants to be done before it has proved anything'
      ]
    ] as const) {
      const client = await opens({ authentication, reconnect: false })
      const failed = client.ready.catch((error: unknown) => error)
      const server = await isCalled()
      await server.accepts(properties)
      expect(await failed).toMatchObject({ code: 'authentication-failed', message })
      await server.isClosed()
    }
  }
)
