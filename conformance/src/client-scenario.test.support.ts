import { type Client, type ClientOptions, openClient, type PublishOptions } from '@godwit/client'
import { type DisconnectReasonCode, PacketType } from '@godwit/protocol'
import { type ClientScenarios, clientScenarios, type Outcome, outcome, type ServedConnection } from '@godwit/testkit'
import { expect } from 'vitest'

const scenarios: ClientScenarios<ClientOptions, Client> = clientScenarios<ClientOptions, Client>(openClient)

/** Our client, and a server that sends what the test tells it to. */
export const served: (typeof scenarios)['served'] = (...scenario) => scenarios.served(...scenario)

/** The client ends the connection, and says why. */
export async function isDisconnected(server: ServedConnection, reasonCode: DisconnectReasonCode): Promise<void> {
  await server.receives({ type: PacketType.Disconnect, reasonCode })
  await server.isClosed()
}

/** The application gives the client something that no client may send: it is told so, and nothing is sent. */
export async function isRefused(server: ServedConnection, promise: PromiseLike<unknown>, code: string): Promise<void> {
  expect(await rejection(promise)).toMatchObject({ name: 'ClientError', code })
  await server.receivesNothing()
}

/** What a promise has rejected with. */
export async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  const result: Outcome<unknown> = await outcome(promise)
  return result.is === 'rejected' ? result.error : expect.fail(`the promise is ${result.is}, not rejected`)
}

/** Publishes, and lets the server see it. */
export async function publishes(
  client: Client,
  server: ServedConnection,
  topic: string,
  options: PublishOptions = {}
): Promise<number> {
  void client.publish(topic, topic, options)
  const { packetIdentifier } = await server.receives({ type: PacketType.Publish, topicName: topic, qos: options.qos ?? 0 })
  return packetIdentifier
}
