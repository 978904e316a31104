import type { EventEmitter } from 'node:events'
import type { Transport } from './transport.ts'
import { TCP_KEEP_ALIVE_SECONDS } from './transport-limits.ts'

export const SOCKET_OPTIONS: { readonly noDelay: true; readonly keepAlive: true; readonly keepAliveInitialDelay: number } = {
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: TCP_KEEP_ALIVE_SECONDS * 1000
}

/** Without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

/** The transport is made within the event: later, the first bytes or an error would have come and gone. */
export function opened(
  opening: EventEmitter,
  event: 'connect' | 'secureConnect' | 'open',
  abandon: () => void,
  signal: AbortSignal | undefined,
  make: () => Transport
): Promise<Transport> {
  const { promise, resolve, reject } = Promise.withResolvers<Transport>()
  const onAbort = (): void => {
    reject(signal?.reason)
    abandon()
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  opening.on('error', (error: Error) => {
    signal?.removeEventListener('abort', onAbort)
    reject(error)
  })
  opening.once(event, () => {
    signal?.removeEventListener('abort', onAbort)
    resolve(make())
  })
  return promise
}
