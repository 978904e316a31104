import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { ListenError } from './listen-error.ts'
import type { CertificateOptions, TlsOptions } from './listen-options.ts'

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/** Checks certificate, key and authorities, each with its own message, and returns them as Node takes them. */
export function secureContextOptions(url: string, tls: TlsOptions): SecureContextOptions {
  checkCertificate(url, tls)
  if (tls.ca === undefined && (tls.clientCertificates ?? 'none') !== 'none') {
    throw new ListenError('BAD_CA', url, 'to ask for client certificates it needs the authorities (ca) that issue them')
  }
  const options: SecureContextOptions = {
    cert: tls.certificate,
    key: tls.key,
    ca: tls.ca,
    passphrase: tls.passphrase,
    ticketKeys: tls.ticketKeys && Buffer.from(tls.ticketKeys),
    minVersion: tls.minimumTlsVersion ?? 'TLSv1.2'
  }
  try {
    createSecureContext(options)
  } catch (cause) {
    throw new ListenError('BAD_CERTIFICATE', url, `the certificate is refused: ${messageOf(cause)}`, { cause })
  }
  return options
}

function checkCertificate(url: string, { certificate, key, passphrase, ca }: CertificateOptions): void {
  const leaf = attempt(() => new X509Certificate(certificate))
  if (leaf instanceof Error) {
    throw new ListenError('BAD_CERTIFICATE', url, `the certificate is not a PEM certificate: ${messageOf(leaf)}`, { cause: leaf })
  }
  const privateKey = attempt((): KeyObject => createPrivateKey(passphrase === undefined ? { key } : { key, passphrase }))
  if (privateKey instanceof Error) {
    const reason = `the key is not a PEM private key, or its passphrase is missing or wrong: ${messageOf(privateKey)}`
    throw new ListenError('BAD_KEY', url, reason, { cause: privateKey })
  }
  if (!leaf.checkPrivateKey(privateKey)) throw new ListenError('KEY_MISMATCH', url, 'the key does not belong to the certificate')
  if (ca === undefined) return
  const authorities = ca.toString().match(PEM_CERTIFICATE) ?? []
  if (authorities.length === 0) throw new ListenError('BAD_CA', url, 'the authorities (ca) hold no PEM certificate')
  for (const authority of authorities) {
    const parsed = attempt(() => new X509Certificate(authority))
    if (parsed instanceof Error) {
      throw new ListenError('BAD_CA', url, `an authority (ca) cannot be read: ${messageOf(parsed)}`, { cause: parsed })
    }
  }
}

/**
 * Why a client's certificate, or its absence, ends the connection. We verify here rather than let Node refuse, so that the
 * report has the reason and the address; and presence counts by itself, because a resumed session without one is `authorized`.
 */
export function clientCertificateProblem(
  socket: Pick<TLSSocket, 'authorized' | 'authorizationError' | 'getPeerX509Certificate'>,
  policy: TlsOptions['clientCertificates']
): Error | undefined {
  if (policy === undefined || policy === 'none') return undefined
  if (socket.getPeerX509Certificate() === undefined) {
    return policy === 'required' ? new Error('the client presented no certificate') : undefined
  }
  return socket.authorized ? undefined : new Error(`the client's certificate is refused: ${String(socket.authorizationError)}`)
}

/** OpenSSL's errors carry a short reason beside a message full of file names. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message
}

function attempt<T>(make: () => T): T | Error {
  try {
    return make()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
