import { wholeNumber } from '../flag-values.ts'
import { Misuse, notAccepted } from '../misuse.ts'
import type { ProfileFlags } from './connection-flags.ts'

/** Where to connect to, and what the URLs had to say of topics. */
export interface Servers {
  /** Tried in turn. */
  readonly urls: readonly string[]
  readonly topics: readonly string[]
}

const TLS_PORT = 8883
const SCHEMES = /^(mqtt|mqtts|tcp|tls|ws|wss|unix):/

/**
 * The servers that flags name.
 *
 * @throws {Misuse}
 */
export function serversOf(flags: ProfileFlags): Servers {
  const { url: urls = [], unix, host, port } = flags
  if (unix !== undefined) {
    if (unix === '') throw notAccepted('--unix', unix, 'a path')
    const isElsewhere = host !== undefined || port !== undefined || urls.length > 0
    if (isElsewhere) throw new Misuse('--unix goes without --host, --port and --url')
    return { urls: [`unix:${unix}`], topics: [] }
  }
  if (urls.length > 0) {
    if (host !== undefined || port !== undefined) throw new Misuse('--url goes without --host and --port, which it holds')
    const servers = urls.map(takeTopic)
    return { urls: servers.map(({ url }) => url), topics: servers.flatMap(({ topic }) => (topic === '' ? [] : [topic])) }
  }
  return { urls: [urlOf(host ?? 'localhost', port, flags)], topics: [] }
}

function urlOf(host: string, portText: string | undefined, flags: ProfileFlags): string {
  if (host === '' || /[\s/?#@]/.test(host)) throw notAccepted('--host', host, 'a name or an address')
  const port = portText === undefined ? undefined : wholeNumber('--port', portText, 1, 65_535)
  const { cafile, capath, tlsUseOsCerts, cert, tlsAlpn } = flags
  // As mosquitto's clients have it: what only TLS needs asks for TLS.
  const isSecure = [cafile, capath, tlsUseOsCerts, cert, tlsAlpn].some((flag) => flag !== undefined) || port === TLS_PORT
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  return `${isSecure ? 'mqtts' : 'mqtt'}://${bracketed}${port === undefined ? '' : `:${port}`}`
}

/**
 * `mqtt://host/a/#` names a topic as well. It is taken as it stands: neither # nor ? nor % has another meaning there. The path of a
 * WebSocket URL is the server's.
 */
function takeTopic(url: string): { url: string; topic: string } {
  const accepted = 'such as mqtt://host, mqtts://user:password@host:8883, wss://host/mqtt or unix:/path'
  if (!SCHEMES.test(url)) throw new Misuse(`--url is ${JSON.stringify(withoutSecrets(url))}; accepted is a URL ${accepted}`)
  if (url.startsWith('unix:')) return { url, topic: '' }
  const [, base = '', topic = ''] = /^((?:mqtts?|tcp|tls):\/\/[^/]*)\/?(.*)$/s.exec(url) ?? [url, url]
  if (!URL.canParse(base) || new URL(base).hostname === '') {
    throw new Misuse(`--url is ${JSON.stringify(withoutSecrets(url))}; accepted is a URL ${accepted}`)
  }
  return { url: base, topic }
}

/** A URL as it may be shown: without password, and without the user's name. */
export function withoutSecrets(url: string): string {
  return url.replace(/^([a-z]+:\/\/)?[^/]*@/i, '$1')
}
