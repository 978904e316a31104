import type { CertificateOptions, PortListenOptions } from '../listen-options.ts'
import type { SharedMemory } from './hand-over.ts'

/** There is something in the ring. */
export const WAKE = 0

/** What the engine says to a thread beside the ring. Options cross without their functions. */
export type ThreadRequest =
  | typeof WAKE
  | { readonly kind: 'listen'; readonly listener: number; readonly options: PortListenOptions }
  | { readonly kind: 'updateCertificate'; readonly listener: number; readonly certificate: CertificateOptions }
  | { readonly kind: 'close'; readonly listener: number }

export type ThreadReply =
  | typeof WAKE
  | { readonly kind: 'ready' }
  | { readonly kind: 'listening'; readonly listener: number; readonly url: string; readonly port: number }
  | { readonly kind: 'refused'; readonly listener: number; readonly code: string; readonly url: string; readonly reason: string }
  | { readonly kind: 'closed'; readonly listener: number }

export interface IoThreadData {
  readonly memory: SharedMemory
}

export function isIoThreadData(data: unknown): data is IoThreadData {
  return typeof data === 'object' && data !== null && 'memory' in data
}

/** PEM texts as strings: a Buffer is not one any more on the other side. */
export function asText<Options extends CertificateOptions>(options: Options): Options {
  const { certificate, key, ca } = options
  return { ...options, certificate: certificate.toString(), key: key.toString(), ca: ca?.toString() }
}
