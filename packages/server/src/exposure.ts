import { isIPv4 } from 'node:net'
import { ConfigurationError } from './configuration-error.ts'
import type { Configuration, ListenerConfiguration } from './configuration.ts'

/** Who may connect without being asked who they are, and what follows from it. */
export interface Exposure {
  readonly anonymous: boolean
  /** Whether anybody configured who may connect; if not, the program keeps to this machine. */
  readonly isConfigured: boolean
}

/**
 * Without configured access everybody may connect, and therefore only from this machine.
 * @throws ConfigurationError if strangers could connect and nobody said that they may
 */
export function exposureOf({ listeners, http, access: { anonymous, users } }: Configuration): Exposure {
  if (anonymous !== undefined || users.length > 0) return { anonymous: anonymous ?? false, isConfigured: true }
  const exposed = listeners.filter(isExposed).map(addressOf)
  if (http.enabled && http.webSocket && !isLoopback(http.host)) exposed.push(addressText('http', http.host, http.port))
  if (exposed.length === 0) return { anonymous: true, isConfigured: false }
  const remedy = 'name those who may connect (access.users), or let everybody in with --allow-anonymous (access.anonymous: true)'
  throw new ConfigurationError([`${exposed.join(', ')}: without configured access Godwit listens on loopback only; ${remedy}`])
}

/** Whether a listener can be reached from elsewhere by those who present no certificate. */
function isExposed(listener: ListenerConfiguration): boolean {
  if (listener.kind === 'unix') return false
  const asksForCertificate =
    (listener.kind === 'tls' || listener.kind === 'secure-websocket') && listener.clientCertificates === 'required'
  if (asksForCertificate) return false
  // A proxy on this machine brings clients from others.
  return !isLoopback(listener.host) || listener.proxyProtocol !== undefined
}

function addressOf(listener: ListenerConfiguration): string {
  return listener.kind === 'unix' ? listener.path : addressText(listener.kind, listener.host, listener.port)
}

function addressText(kind: string, host: string, port: number): string {
  return `${kind} on ${host.includes(':') ? `[${host}]` : host}:${port}`
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

/** Whether a web page comes from this machine. */
export function isLoopbackOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false
  const { hostname } = new URL(origin)
  return isLoopback(hostname.replace(/^\[(.*)\]$/, '$1')) || hostname.endsWith('.localhost')
}
