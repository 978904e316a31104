import { onTestFinished } from 'vitest'
import { type Client, connect } from '../index.ts'

/** A client that ends with its test. */
export async function connected(url: string): Promise<Client> {
  const client = await connect(url)
  onTestFinished(() => client[Symbol.asyncDispose]())
  return client
}

/** Reads a filter at QoS 2 until the test ends. Returns what gives the payloads that came, in order, once there are so many. */
export async function reading(url: string, filter: string): Promise<(count: number) => Promise<readonly string[]>> {
  const client = await connected(url)
  const payloads: string[] = []
  let check = (): void => undefined
  const subscription = client.subscribe(filter, { qos: 2 }, (message) => {
    payloads.push(message.text())
    check()
  })
  await subscription.granted
  return async (count) => {
    await new Promise<void>((resolve) => {
      check = (): void => {
        if (payloads.length >= count) resolve()
      }
      check()
    })
    return payloads
  }
}
