import { resolve } from 'node:path'
import type { ConfigurationPath, Override } from '@godwit/server'

/** A flag of `godwit serve`. */
export interface Flag {
  readonly flag: `--${string}`
  /** What its value is called in the help; undefined: it has none. */
  readonly value?: string
  readonly description: string
}

export const SERVE_FLAGS: readonly Flag[] = [
  { flag: '--config', value: 'file', description: 'Read a configuration file, YAML or JSON; flags go before what it says' },
  { flag: '--host', value: 'address', description: 'Listen for MQTT on an address: 0.0.0.0 for all (default: 127.0.0.1)' },
  { flag: '--port', value: 'port', description: 'Listen for MQTT on a port: 0 for any that is free (default: 1883)' },
  { flag: '--tls-cert', value: 'file', description: 'Listen for MQTT over TLS too, with a certificate in a PEM file' },
  { flag: '--tls-key', value: 'file', description: "The certificate's private key, in a PEM file" },
  { flag: '--tls-port', value: 'port', description: 'The port for TLS (default: 8883)' },
  { flag: '--unix-socket', value: 'path', description: 'Listen on a Unix socket too' },
  { flag: '--http-host', value: 'address', description: 'Listen for HTTP on an address (default: 127.0.0.1)' },
  { flag: '--http-port', value: 'port', description: 'Listen for HTTP on a port: WebSocket, /health (default: 8083)' },
  { flag: '--io-threads', value: 'count', description: 'Threads for sockets and TLS beside the one that routes (default: 0)' },
  { flag: '--allow-anonymous', description: 'Let everybody connect, from wherever they can reach a listener' },
  { flag: '--data', value: 'directory', description: 'Where to keep data; made if it is not there (default: ./godwit-data)' },
  { flag: '--memory', description: 'Keep data in memory: nothing survives a restart, and acknowledged messages may be lost' },
  { flag: '--set-aside-damaged', description: 'Should the data be damaged, keep it aside and begin with an empty store' },
  { flag: '--log-level', value: 'level', description: 'debug, info, warn, error or silent (default: info)' },
  { flag: '--log-format', value: 'format', description: 'text or json (default: text)' }
]

/** As commander gives them. */
export interface ServeFlags {
  readonly config?: string
  readonly host?: string
  readonly port?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsPort?: string
  readonly unixSocket?: string
  readonly httpHost?: string
  readonly httpPort?: string
  readonly ioThreads?: string
  readonly allowAnonymous?: true
  readonly data?: string
  readonly memory?: true
  readonly setAsideDamaged?: true
  readonly logLevel?: string
  readonly logFormat?: string
}

type Place = Override['place']

const TLS_PORT = 8883

/** What the flags change in the configuration. */
export function overridesOf(flags: ServeFlags): Override[] {
  const { host, port, tlsCert, tlsKey, tlsPort, unixSocket, httpHost, httpPort } = flags
  const overrides: Override[] = []
  const override = (origin: string, value: unknown, place: Place): void => void overrides.push({ origin, value, place })
  const at =
    (...path: ConfigurationPath): Place =>
    () => [path]

  if (host !== undefined) override('--host', host, inListener('tcp', 'host'))
  if (port !== undefined) override('--port', wholeNumber(port), inListener('tcp', 'port'))
  if (tlsCert !== undefined || tlsKey !== undefined || tlsPort !== undefined) {
    override('--tls-cert', absolute(tlsCert), inListener('tls', 'certificateFile'))
    override('--tls-key', absolute(tlsKey), inListener('tls', 'keyFile'))
    if (tlsPort !== undefined) override('--tls-port', wholeNumber(tlsPort), inListener('tls', 'port'))
    if (host !== undefined) override('--host', host, inListener('tls', 'host'))
  }
  if (unixSocket !== undefined) override('--unix-socket', absolute(unixSocket), inListener('unix', 'path'))
  if (httpHost !== undefined) override('--http-host', httpHost, at('http', 'host'))
  if (httpPort !== undefined) override('--http-port', wholeNumber(httpPort), at('http', 'port'))
  if (flags.ioThreads !== undefined) override('--io-threads', wholeNumber(flags.ioThreads), at('ioThreads'))
  if (flags.allowAnonymous === true) override('--allow-anonymous', true, at('access', 'anonymous'))
  if (flags.data !== undefined) override('--data', absolute(flags.data), () => [['data'], [['memory'], false]])
  if (flags.memory === true) {
    override('--memory', true, () => (flags.data === undefined ? [['memory'], [['data'], undefined]] : [['memory']]))
  }
  if (flags.setAsideDamaged === true) override('--set-aside-damaged', 'set-aside', at('onDamagedData'))
  if (flags.logLevel !== undefined) override('--log-level', flags.logLevel, at('log', 'level'))
  if (flags.logFormat !== undefined) override('--log-format', flags.logFormat, at('log', 'format'))
  return overrides
}

/** In the first listener of a kind; where there is none, in a new one. */
function inListener(kind: 'tcp' | 'tls' | 'unix', key: string): Place {
  return (soFar) => {
    const listeners = listenersOf(soFar)
    const found = listeners.findIndex((each) => typeof each === 'object' && each !== null && 'kind' in each && each.kind === kind)
    if (found !== -1) return [['listeners', found, key]]
    const index = listeners.length
    const port = kind === 'tls' ? TLS_PORT : 1883
    return [
      ['listeners', index, key],
      [['listeners', index], kind === 'unix' ? { kind } : { kind, port }]
    ]
  }
}

function listenersOf(configuration: unknown): readonly unknown[] {
  if (typeof configuration !== 'object' || configuration === null || !('listeners' in configuration)) return []
  return Array.isArray(configuration.listeners) ? configuration.listeners : []
}

/** Against the working directory, unlike the paths of a file. */
function absolute(path: string | undefined): string | undefined {
  return path === undefined || path === '' ? path : resolve(path)
}

/** A number if it is one; what is not is left for the check to name. */
function wholeNumber(text: string): number | string {
  return /^-?\d+$/.test(text) ? Number(text) : text
}
