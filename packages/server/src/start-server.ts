import { type Broker, createBroker, type Logger } from '@godwit/broker'
import { MemoryStore } from '@godwit/storage'
import type { Configuration } from './configuration.ts'
import { exposureOf } from './exposure.ts'
import { Health } from './health.ts'
import type { HttpServer } from './http-server.ts'
import { listenOptions, webSocketMessageBytesMax } from './listen-options.ts'
import { type OpenListener, Server } from './server.ts'
import { Users } from './users.ts'

export interface ServerOptions {
  /** Default: nothing is logged. */
  readonly logger?: Logger
}

type OnConnectionError = (error: Error, peer: { readonly address: string }) => void

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/**
 * Starts a broker with its listeners and HTTP, as configured. When it resolves, clients can connect.
 * @throws ConfigurationError if strangers could connect and nobody said that they may
 * @throws ListenError for an address or a certificate that is no good; nothing listens then
 */
export async function startServer(configuration: Configuration, { logger = silent }: ServerOptions = {}): Promise<Server> {
  const exposure = exposureOf(configuration)
  const { limits, features, shareStrategy, responseInformation, unauthorizedPublishMqtt3, access } = configuration
  const users = new Users(access.users, exposure.anonymous)
  const health = new Health()
  const broker = await createBroker({
    store: new MemoryStore(),
    authenticate: (request) => users.authenticate(request),
    limits,
    features,
    shareStrategy,
    responseInformation,
    unauthorizedPublishMqtt3,
    logger
  })
  const onError: OnConnectionError = (error, { address }) => {
    if (address === '') logger.error({ err: error }, 'a connection could not be accepted')
    else logger.info({ peer: address, reason: error.message }, 'connection failed before MQTT')
  }
  try {
    // Any web page can open a WebSocket to this machine: as long as access is not configured, those of others may not.
    const keepsPagesOut = !exposure.isConfigured
    const listeners = await openListeners(broker, configuration, keepsPagesOut, onError)
    const http = await openHttp(broker, configuration, keepsPagesOut, health, onError)
    return new Server({ configuration, exposure, broker, users, health, listeners, http, logger })
  } catch (error) {
    await broker.close()
    throw error
  }
}

async function openListeners(
  broker: Broker,
  { listeners, limits }: Configuration,
  keepsPagesOut: boolean,
  onError: OnConnectionError
): Promise<OpenListener[]> {
  const context = { allowedOrigins: keepsPagesOut ? [] : undefined, packetBytesMax: limits.packetBytesMax, onError }
  const open: OpenListener[] = []
  for (const each of listeners) {
    const listener = await broker.listen(listenOptions(each, context))
    open.push({ listener, tls: each.kind === 'tls' || each.kind === 'secure-websocket' ? each : undefined })
  }
  return open
}

async function openHttp(
  broker: Broker,
  { http, limits }: Configuration,
  keepsPagesOut: boolean,
  health: Health,
  onError: OnConnectionError
): Promise<HttpServer | undefined> {
  if (!http.enabled) return undefined
  const { listenHttp } = await import('./http-server.ts')
  return listenHttp({
    configuration: http,
    onlyLoopbackOrigins: keepsPagesOut,
    maxMessageBytes: webSocketMessageBytesMax(limits.packetBytesMax),
    connectionsMax: limits.clientsMax + limits.pendingConnectionsMax,
    health,
    accept: (transport) => broker.attach(transport),
    onError
  })
}
