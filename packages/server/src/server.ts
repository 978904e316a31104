import type { Broker, Logger } from '@godwit/broker'
import type { CertificateOptions, Listener } from '@godwit/transport'
import type { IoThreads } from '@godwit/transport/io-threads'
import { ConfigurationError } from './configuration-error.ts'
import type { Configuration, TlsConfiguration } from './configuration.ts'
import { type Exposure, exposureOf } from './exposure.ts'
import type { Health, HealthReport } from './health.ts'
import type { HttpServer } from './http-server.ts'
import { readCertificate } from './listen-options.ts'
import type { DataReport } from './open-broker.ts'
import type { Users } from './users.ts'

export interface OpenListener {
  readonly listener: Listener
  /** Where its certificate is; undefined: without TLS. */
  readonly tls: TlsConfiguration | undefined
}

export interface ServerParts {
  readonly configuration: Configuration
  readonly exposure: Exposure
  readonly broker: Broker
  readonly data: DataReport
  readonly users: Users
  readonly health: Health
  readonly listeners: readonly OpenListener[]
  /** Undefined: sockets are on this thread. */
  readonly ioThreads: IoThreads | undefined
  readonly http: HttpServer | undefined
  readonly logger: Logger
}

/** A running broker with its listeners. */
export class Server {
  readonly #parts: ServerParts
  #closed: Promise<void> | undefined = undefined

  /** Use `startServer`. */
  constructor(parts: ServerParts) {
    this.#parts = parts
  }

  get broker(): Broker {
    return this.#parts.broker
  }

  /** As it was started with. */
  get configuration(): Configuration {
    return this.#parts.configuration
  }

  /** As it was started with. */
  get exposure(): Exposure {
    return this.#parts.exposure
  }

  /** Where data is kept, and what was there at the start. */
  get data(): DataReport {
    return this.#parts.data
  }

  get health(): HealthReport {
    return this.#parts.health.report()
  }

  /** Where clients connect, in the order of the configuration, and where HTTP is. */
  get urls(): readonly string[] {
    const { listeners, http } = this.#parts
    const urls = listeners.map(({ listener }) => listener.url)
    if (http?.webSocketUrl !== undefined) urls.push(http.webSocketUrl)
    if (http !== undefined) urls.push(`${http.url}/health`)
    return urls
  }

  /**
   * Reads the certificates again, and takes the users and the permission of anonymous access from a configuration; the
   * rest of it needs a restart. Clients that are connected stay. A certificate that is no good is logged, and the old one kept.
   * @returns the keys that differ and need a restart
   * @throws ConfigurationError if strangers could connect and nobody said that they may; then nothing has changed
   */
  reload(configuration: Configuration): string[] {
    const { configuration: started, exposure, users, listeners } = this.#parts
    const { anonymous, isConfigured } = exposureOf({ ...started, access: configuration.access })
    if (exposure.isConfigured && !isConfigured) {
      throw new ConfigurationError(['access is not configured any more: that needs a restart'])
    }
    users.replace(configuration.access.users, anonymous)
    for (const { listener, tls } of listeners) if (tls !== undefined) this.#updateCertificate(listener, tls)
    return keysThatDiffer(started, configuration)
  }

  #updateCertificate(listener: Listener, tls: TlsConfiguration): void {
    const { logger } = this.#parts
    if (!isUpdatable(listener)) return
    try {
      listener.updateCertificate(readCertificate(tls))
      logger.info({ listener: listener.url }, 'certificate read again')
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      logger.error({ listener: listener.url, reason }, 'the certificate is no good; the one in use stays')
    }
  }

  /**
   * Refuses new clients, finishes commits, tells 5.0 clients that the server is shutting down (0x8B) and waits for them to
   * go, for a bounded time. `/health/ready` answers 503 meanwhile.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const { broker, health, ioThreads, http } = this.#parts
    health.stop()
    await broker.close()
    await ioThreads?.close()
    await http?.close()
  }
}

function isUpdatable(listener: Listener): listener is Listener & { updateCertificate(certificate: CertificateOptions): void } {
  return 'updateCertificate' in listener
}

/** What a restart would change: all but what `reload` takes, and the log, whose level changes at once. */
function keysThatDiffer(before: Configuration, after: Configuration): string[] {
  const others = ({ access: _access, log: _log, ...rest }: Configuration) => new Map<string, unknown>(Object.entries(rest))
  const [old, renewed] = [others(before), others(after)]
  const keys = [...new Set([...old.keys(), ...renewed.keys()])]
  return keys.filter((key) => JSON.stringify(old.get(key)) !== JSON.stringify(renewed.get(key)))
}
