import type { Broker, ConnectRequest, Logger } from '@godwit/broker'
import type { Transport } from '@godwit/transport'
import type { IoThreads } from '@godwit/transport/io-threads'
import type { Alarms } from './alarms.ts'
import type { Configuration } from './configuration.ts'
import { exposureOf } from './exposure.ts'
import { Health } from './health.ts'
import type { HttpServer } from './http-server.ts'
import { listenOptions, webSocketMessageBytesMax } from './listen-options.ts'
import { openBroker, type OpenedBroker, prepareStore } from './open-broker.ts'
import { HTTP_LISTENER, nameOfListener } from './overflow-configuration.ts'
import { type OpenListener, Server } from './server.ts'
import { Users } from './users.ts'

export interface ServerOptions {
  /** Default: nothing is logged. */
  readonly logger?: Logger
}

type OnConnectionError = (error: Error, peer: { readonly address: string }) => void

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/**
 * Starts a broker with its listeners and HTTP, as configured. HTTP comes first, and tells that the broker is not ready; when
 * this resolves, what the store held is restored and clients can connect.
 * @throws ConfigurationError if strangers could connect and nobody said that they may
 * @throws ListenError for an address or a certificate that is no good; nothing listens then
 * @throws DataError if the data cannot be used; nothing listens then
 */
export async function startServer(configuration: Configuration, { logger = silent }: ServerOptions = {}): Promise<Server> {
  const exposure = exposureOf(configuration)
  const { limits, features, shareStrategy, responseInformation, unauthorizedPublishMqtt3, access } = configuration
  const { overflow, refusedPublishMqtt3, history, sysIntervalSeconds } = configuration
  const users = new Users(access.users, exposure.anonymous)
  const health = new Health()
  const onError: OnConnectionError = (error, { address }) => {
    if (address === '') logger.error({ err: error }, 'a connection could not be accepted')
    else logger.info({ peer: address, reason: error.message }, 'connection failed before MQTT')
  }
  // Any web page can open a WebSocket to this machine: as long as access is not configured, those of others may not.
  const keepsPagesOut = !exposure.isConfigured
  let broker: Broker | undefined
  let ioThreads: IoThreads | undefined
  const accept = (transport: Transport): void =>
    broker === undefined ? transport.destroy() : broker.attach(transport, { listener: HTTP_LISTENER })
  let http: HttpServer | undefined
  const store = await prepareStore(configuration)
  try {
    http = await openHttp(configuration, keepsPagesOut, health, accept, onError)
    const options = {
      authenticate: (request: ConnectRequest) => users.authenticate(request),
      limits,
      features,
      shareStrategy,
      responseInformation,
      unauthorizedPublishMqtt3,
      refusedPublishMqtt3,
      overflow,
      history,
      sysIntervalSeconds,
      logger
    }
    const opened = await openBroker(configuration, options, store)
    ;({ broker } = opened)
    watchData(opened, health.alarms)
    ioThreads = await startThreads(configuration, logger)
    const listeners = await openListeners(broker, configuration, ioThreads, keepsPagesOut, onError)
    health.run()
    return new Server({ configuration, exposure, ...opened, users, health, listeners, ioThreads, http, logger })
  } catch (error) {
    await broker?.close()
    await store?.close()
    await ioThreads?.close()
    await http?.close()
    throw error
  }
}

/** What becomes an alarm has been logged already. */
function watchData({ broker, data: { setAside } }: OpenedBroker, alarms: Alarms): void {
  if (setAside !== undefined) alarms.raise('data-set-aside', `${setAside.reason}; it is in ${setAside.folder} now`)
  const { events, storeFailure } = broker
  if (storeFailure !== undefined) alarms.raise('store-failing', storeFailure.message)
  events.on('storeFailing', ({ message }) => alarms.raise('store-failing', message))
  events.on('storeRecovered', () => alarms.clear('store-failing'))
  events.on('storeFailed', (error) => {
    if ('code' in error && error.code === 'damaged') alarms.raise('data-damaged', error.message)
  })
}

/** Undefined: the configuration asks for none. */
async function startThreads({ ioThreads: count }: Configuration, logger: Logger): Promise<IoThreads | undefined> {
  if (count === 0) return undefined
  const { startIoThreads } = await import('@godwit/transport/io-threads')
  const onThreadLost = (error: Error): void =>
    logger.error({ err: error }, 'an I/O thread has ended, and its connections with it: another one is started')
  const threads = await startIoThreads({ count, onThreadLost })
  if (threads.count < count) {
    logger.warn({ ioThreads: threads.count }, 'threads cannot share a port on this system: there are fewer than configured')
  }
  return threads
}

async function openListeners(
  broker: Broker,
  { listeners, limits }: Configuration,
  ioThreads: IoThreads | undefined,
  keepsPagesOut: boolean,
  onError: OnConnectionError
): Promise<OpenListener[]> {
  const context = { allowedOrigins: keepsPagesOut ? [] : undefined, packetBytesMax: limits.packetBytesMax, onError }
  const open: OpenListener[] = []
  for (const each of listeners) {
    const listener = await broker.listen({ ...listenOptions(each, context), name: nameOfListener(each) }, ioThreads)
    open.push({ listener, tls: each.kind === 'tls' || each.kind === 'secure-websocket' ? each : undefined })
  }
  return open
}

async function openHttp(
  { http, limits }: Configuration,
  keepsPagesOut: boolean,
  health: Health,
  accept: (transport: Transport) => void,
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
    accept,
    onError
  })
}
