import { readFileSync } from 'node:fs'
import type { CertificateOptions, ListenOptions, TlsOptions, WebSocketOptions } from '@godwit/transport'
import { ConfigurationError } from './configuration-error.ts'
import type {
  ListenerConfiguration,
  NetworkConfiguration,
  TlsConfiguration,
  UnixListenerConfiguration,
  WebSocketConfiguration
} from './configuration.ts'
import { reasonOf } from './load-configuration.ts'

/** What the engine's listeners need to know of the rest of the configuration. */
export interface ListenContext {
  /** Origins of web pages that may connect where the listener names none; undefined: any. */
  readonly allowedOrigins: readonly string[] | undefined
  readonly packetBytesMax: number
  readonly onError: (error: Error, peer: { readonly address: string }) => void
}

const WEB_SOCKET_MESSAGE_BYTES = 1024 * 1024

/** A listener as the configuration has it, as `Broker.listen` takes it. Reads the files of its certificate. */
export function listenOptions(listener: ListenerConfiguration, context: ListenContext): ListenOptions {
  const { onError } = context
  switch (listener.kind) {
    case 'tcp':
      return { kind: listener.kind, onError, ...network(listener) }
    case 'tls':
      return { kind: listener.kind, onError, ...network(listener), ...tls(listener) }
    case 'websocket':
      return { kind: listener.kind, onError, ...network(listener), ...webSocket(listener, context) }
    case 'secure-websocket':
      return { kind: listener.kind, onError, ...network(listener), ...tls(listener), ...webSocket(listener, context) }
    case 'unix':
      return { kind: listener.kind, onError, ...unix(listener) }
  }
}

/**
 * The largest WebSocket message: room for the largest packet. Not less than the default even if packets are smaller, so that
 * a client which sends a larger one is told so by MQTT (0x95), not by WebSocket.
 */
export function webSocketMessageBytesMax(packetBytesMax: number): number {
  return Math.max(packetBytesMax, WEB_SOCKET_MESSAGE_BYTES)
}

/** @throws ConfigurationError for a file that cannot be read */
export function readCertificate({ certificateFile, keyFile, keyPassphraseFile, caFile }: TlsConfiguration): CertificateOptions {
  return {
    certificate: readFile(certificateFile),
    key: readFile(keyFile),
    passphrase:
      keyPassphraseFile === undefined
        ? undefined
        : readFile(keyPassphraseFile)
            .toString()
            .replace(/\r?\n$/, ''),
    ca: caFile === undefined ? undefined : readFile(caFile)
  }
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new ConfigurationError([`${path} cannot be read: ${reasonOf(cause)}`], { cause })
  }
}

function network({ host, port, keepAliveSeconds, handshakeTimeoutSeconds, proxyProtocol, backlog }: NetworkConfiguration) {
  const handshakeTimeoutMs = handshakeTimeoutSeconds === undefined ? undefined : handshakeTimeoutSeconds * 1000
  return { host, port, keepAliveSeconds, handshakeTimeoutMs, proxyProtocol, backlog }
}

function tls(listener: TlsConfiguration): TlsOptions {
  const { clientCertificates, minimumTlsVersion } = listener
  return { ...readCertificate(listener), clientCertificates, minimumTlsVersion }
}

function webSocket({ path, allowedOrigins, maxMessageBytes }: WebSocketConfiguration, context: ListenContext): WebSocketOptions {
  return {
    path,
    allowedOrigins: allowedOrigins ?? context.allowedOrigins,
    maxMessageBytes: maxMessageBytes ?? webSocketMessageBytesMax(context.packetBytesMax)
  }
}

function unix({ path, mode, backlog }: UnixListenerConfiguration) {
  return { path, mode: mode === undefined ? undefined : Number.parseInt(mode, 8), backlog }
}
