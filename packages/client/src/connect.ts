import { connectPlatformTransport, randomBytes, systemClock } from '#platform'
import { Client } from './client.ts'
import { abortedError, type ClientError } from './client-error.ts'
import type { ClientOptions } from './options.ts'
import { settingsOf } from './settings.ts'

/**
 * Connects to a server; resolves once it has accepted us.
 *
 * @param url `mqtt:` or `tcp:`, `mqtts:` or `tls:`, `ws:`, `wss:`, `unix:`; of several the first that accepts us. In browsers `ws:` and `wss:`.
 * @throws {ClientError} if all servers were tried once in vain: nothing is left behind then. To begin without a network: `openClient`.
 */
export async function connect(url: string | readonly string[], options: ClientOptions = {}): Promise<Client> {
  const { promise: failed, reject } = Promise.withResolvers<never>()
  const client = await open(url, options, reject)
  try {
    await Promise.race([client.ready, failed])
  } catch (error) {
    await client.close({ drainMs: 0 })
    const { signal } = options
    throw signal?.aborted === true ? abortedError(signal) : error
  }
  return client
}

/**
 * Opens a client, which connects as soon as it can: whether there is a network or not, it accepts messages and subscriptions at once.
 *
 * @param url as in `connect`
 * @throws {ClientError} `invalid-argument`, `outbox-failed`
 */
export function openClient(url: string | readonly string[], options: ClientOptions = {}): Promise<Client> {
  return open(url, options, () => undefined)
}

async function open(
  url: string | readonly string[],
  options: ClientOptions,
  onRoundFailed: (error: ClientError) => void
): Promise<Client> {
  const settings = settingsOf(url, options, options.clock ?? systemClock)
  const { random, transport } = options
  const bytes = random === undefined ? randomBytes : (length: number) => Uint8Array.from({ length }, () => random() * 256)
  const randomToken = (characters: number): string => token(bytes(characters))
  return await Client.open({ settings, openTransport: transport ?? connectPlatformTransport, randomToken, onRoundFailed })
}

const CHARACTERS = '0123456789abcdefghijklmnopqrstuvwxyz'

/** Of characters that every server accepts in a Client Identifier ([5.0 MQTT-3.1.3-5]). */
function token(bytes: Uint8Array): string {
  return [...bytes].map((byte) => CHARACTERS[byte % CHARACTERS.length]).join('')
}
