import type { Client, ConnectedEvent } from '@godwit/client'
import type { Tell } from '../complain-of-client.ts'
import { countText } from '../quantities.ts'
import { withoutSecrets } from './server-urls.ts'

/** Tells of a connection that is lost, and of attempts to have it back; with `--debug` also of what goes well. */
export function followConnection(client: Client, tell: Tell, debug: boolean | undefined): void {
  let why = ''
  client.on('connectFailed', ({ error }) => (why = error.message))
  client.on('disconnected', ({ error }) => (why = error?.message ?? ''))
  client.on('waiting', ({ delayMs }) => tell(`${why}; trying again in ${(delayMs / 1000).toFixed(1)} s`))
  client.on('outboxFailed', ({ error }) => tell(error.message))
  if (debug !== true) return
  if (client.connection !== undefined) tell(connectedText(client.connection))
  client.on('connected', (connection) => tell(connectedText(connection)))
  client.on('sessionLost', ({ resent }) => tell(`the session is a new one: ${countText(resent, 'message')} sent anew`))
}

function connectedText({ url, protocolVersion, clientId, sessionPresent, keepAliveSeconds }: ConnectedEvent): string {
  const version = { 3: '3.1', 4: '3.1.1', 5: '5.0' }[protocolVersion]
  const session = sessionPresent ? 'its session was kept' : 'a new session'
  return `connected to ${withoutSecrets(url)} by ${version} as ${clientId}: ${session}, Keep Alive ${keepAliveSeconds} s`
}
