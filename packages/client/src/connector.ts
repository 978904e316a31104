import { type ConnectPacket, ProtocolVersion, ReasonCode } from '@godwit/protocol'
import type { Transport } from '@godwit/transport/browser'
import { ClientError } from './client-error.ts'
import type { Emitter } from './emitter.ts'
import { type Accepted, shakeHands } from './handshake.ts'
import { SERVER_REFERENCES_MAX } from './limits.ts'
import type { ReconnectOptions, TransportTarget } from './options.ts'
import { mayRetry, reconnectDelayMs } from './reconnection.ts'
import type { Settings } from './settings.ts'

/** What a connector asks of its client. */
interface ConnectorOwner {
  /** The CONNECT for the next attempt. */
  connectPacket(version: ProtocolVersion, authenticationData: Uint8Array | undefined): ConnectPacket
  /** Takes over a connection, in the turn of its CONNACK. Resolves when it has ended: with why, unless we ended it. */
  accepted(accepted: Accepted, connect: ConnectPacket, url: string): Promise<ClientError | undefined>
  onState(state: 'connecting' | 'waiting'): void
  /** All servers were tried, once, and none has accepted us; called until the first one does. */
  onRoundFailed(error: ClientError): void
}

export interface ConnectorOptions {
  readonly settings: Settings
  readonly emitter: Emitter
  readonly openTransport: (target: TransportTarget) => Promise<Transport>
  readonly owner: ConnectorOwner
  /** Aborted when the client closes. */
  readonly signal: AbortSignal
}

/** Keeps a client connected: which server is tried, in which version, and when the next attempt comes. */
export class Connector {
  readonly #options: ConnectorOptions
  /** Changed for good by a server that has moved. */
  #urls: readonly string[]
  #place = 0
  /** The only one, once a server has accepted it. */
  #versions: readonly ProtocolVersion[]
  #attempt = 0
  #references = 0
  #hasConnected = false

  constructor(options: ConnectorOptions) {
    this.#options = options
    this.#urls = options.settings.urls
    this.#versions = options.settings.versions
  }

  /** Connects, again and again. Resolves when there is no more to try: with why, or undefined once the signal is aborted. */
  async run(): Promise<ClientError | undefined> {
    const { settings, signal } = this.#options
    let url = this.#nextUrl()
    for (;;) {
      let error = await this.#attemptAt(url)
      if (signal.aborted) return undefined
      error ??= new ClientError('connection-lost', 'The connection was closed')
      const reference = this.#referenceOf(error, url)
      if (reference !== undefined) {
        url = reference
        continue
      }
      this.#references = 0
      const wasLast = this.#place === 0
      url = this.#nextUrl()
      // The other servers of a round are tried at once.
      if (!wasLast && this.#attempt > 0) continue
      if (!this.#hasConnected) this.#options.owner.onRoundFailed(error)
      const { reconnect = {} } = settings.options
      if (reconnect === false || !mayRetry(error, reconnect) || this.#attempt >= (reconnect.attempts ?? Infinity)) return error
      await this.#wait(reconnect)
      if (signal.aborted) return undefined
    }
  }

  /** One attempt, and the connection if it succeeds. Returns why it failed, or why the connection has ended. */
  async #attemptAt(url: string): Promise<ClientError | undefined> {
    const { emitter, owner } = this.#options
    this.#attempt++
    owner.onState('connecting')
    emitter.emit('connecting', { url, attempt: this.#attempt })
    let closing: Promise<ClientError | undefined>
    try {
      ;({ closing } = await this.#connect(url))
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      if (!this.#options.signal.aborted) emitter.emit('connectFailed', { error, url, attempt: this.#attempt })
      return error
    }
    return await closing
  }

  /** Tries the versions from the newest on, for as long as the server does not know them. */
  async #connect(url: string): Promise<{ readonly closing: Promise<ClientError | undefined> }> {
    for (const [index, version] of this.#versions.entries()) {
      try {
        return await this.#connectIn(version, url)
      } catch (error) {
        const isLast = index === this.#versions.length - 1
        if (isLast || !(error instanceof ClientError) || !mayBeOlder(error) || this.#options.signal.aborted) throw error
      }
    }
    throw new ClientError('invalid-argument', 'There is no protocol version to try')
  }

  async #connectIn(version: ProtocolVersion, url: string): Promise<{ readonly closing: Promise<ClientError | undefined> }> {
    const { settings, owner, signal } = this.#options
    const { clock, maximumPacketSize, options } = settings
    const limit = new AbortController()
    const abort = (): void => limit.abort(new ClientError('unreachable', 'The server could not be reached in time'))
    const cancelTimer = clock.at(clock.now() + settings.connectTimeoutMs, abort)
    signal.addEventListener('abort', abort, { once: true })
    try {
      if (signal.aborted) abort()
      const authenticator = version === ProtocolVersion.Mqtt5 ? options.authentication : undefined
      const transport = await this.#openTransport(version, url, limit.signal)
      const connect = owner.connectPacket(version, await beginning(authenticator, transport, limit.signal))
      return await shakeHands(
        transport,
        { connect, authenticator, maximumPacketSize, clock, signal: limit.signal },
        (accepted) => {
          this.#succeeded(version)
          return { closing: owner.accepted(accepted, connect, url) }
        }
      )
    } finally {
      cancelTimer()
      signal.removeEventListener('abort', abort)
    }
  }

  async #openTransport(version: ProtocolVersion, url: string, signal: AbortSignal): Promise<Transport> {
    const { settings, openTransport } = this.#options
    const { tls, headers } = settings.options
    const subprotocol = version === ProtocolVersion.Mqtt31 ? 'mqttv3.1' : 'mqtt'
    try {
      const target = { url, subprotocol, tls, headers, maximumPacketSize: settings.maximumPacketSize, signal }
      return await untilAborted(openTransport(target), signal, (transport) => transport.destroy())
    } catch (error) {
      if (error instanceof ClientError) throw error
      const message = error instanceof Error && error.message !== '' ? error.message : String(error)
      throw new ClientError('unreachable', `${url} cannot be reached: ${message}`, { cause: error })
    }
  }

  #succeeded(version: ProtocolVersion): void {
    this.#attempt = 0
    this.#hasConnected = true
    this.#versions = [version]
    // After a lost connection the first server is tried first.
    this.#place = 0
  }

  #nextUrl(): string {
    const url = this.#urls[this.#place] ?? ''
    this.#place = (this.#place + 1) % this.#urls.length
    return url
  }

  /** Where a server has sent us, if we are to go there ([5.0 4.11]). */
  #referenceOf({ reasonCode, serverReference }: ClientError, from: string): string | undefined {
    if (this.#options.settings.options.followServerReference !== true) return undefined
    if (serverReference === undefined || this.#references >= SERVER_REFERENCES_MAX) return undefined
    const url = referencedUrl(serverReference, from)
    if (url === undefined) return undefined
    this.#references++
    if (reasonCode === ReasonCode.ServerMoved) {
      this.#urls = [url]
      this.#place = 0
    }
    return url
  }

  async #wait(reconnect: ReconnectOptions): Promise<void> {
    const { settings, emitter, owner, signal } = this.#options
    const { clock, random } = settings
    const delayMs = reconnectDelayMs(this.#attempt + 1, reconnect, random)
    owner.onState('waiting')
    emitter.emit('waiting', { attempt: this.#attempt + 1, delayMs })
    const { promise, resolve }: PromiseWithResolvers<void> = Promise.withResolvers()
    const cancelTimer = clock.at(clock.now() + delayMs, resolve)
    const onAbort = (): void => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    await promise
    cancelTimer()
    signal.removeEventListener('abort', onAbort)
  }
}

/**
 * Waits no longer than the signal allows, also for what takes no notice of it itself; `tooLate` gets what comes all the same.
 *
 * @throws the reason of the signal
 */
async function untilAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal,
  tooLate: (value: Value) => void
): Promise<Value> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => {
    reject(signal.reason)
    promise.then(tooLate, () => undefined)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** The Authentication Data of CONNECT. */
async function beginning(
  authenticator: Settings['options']['authentication'],
  transport: Transport,
  signal: AbortSignal
): Promise<Uint8Array | undefined> {
  try {
    return await untilAborted(Promise.resolve(authenticator?.begin()), signal, () => undefined)
  } catch (error) {
    transport.destroy()
    if (error instanceof ClientError) throw error
    const message = error instanceof Error ? error.message : 'The authenticator has failed'
    throw new ClientError('authentication-failed', message, { cause: error })
  }
}

/** Servers that do not know a version say so, or just close. */
function mayBeOlder({ code, reasonCode }: ClientError): boolean {
  return reasonCode === ReasonCode.UnsupportedProtocolVersion || code === 'connection-lost' || code === 'protocol-error'
}

/** The first server of a reference: a URL, or a name with or without a port, to be reached as the one that named it. */
function referencedUrl(serverReference: string, from: string): string | undefined {
  const [first = ''] = serverReference.trim().split(/\s+/)
  if (first.includes('://')) return URL.parse(first)?.href
  const base = URL.parse(from)
  if (base === null || first === '') return undefined
  return URL.parse(`${base.protocol}//${first}${base.pathname}`)?.href
}
