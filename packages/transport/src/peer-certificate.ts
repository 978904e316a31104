import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { PeerCertificate } from './transport.ts'

/** The peer's certificate if it was asked for, presented and verified. */
export function verifiedCertificateOf(socket: TLSSocket): PeerCertificate | undefined {
  if (!socket.authorized) return undefined
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  return {
    commonName: commonNameOf(certificate),
    subject: onOneLine(certificate.subject),
    issuer: onOneLine(certificate.issuer),
    fingerprint: certificate.fingerprint256
  }
}

/** The last common name is the most specific one, should there be several. */
function commonNameOf(certificate: X509Certificate): string {
  const { CN: commonName } = certificate.toLegacyObject().subject
  return Array.isArray(commonName) ? (commonName.at(-1) ?? '') : (commonName ?? '')
}

/** Node gives one escaped attribute per line, in the certificate's order; RFC 4514 wants the most specific first. */
function onOneLine(distinguishedName: string | undefined): string {
  return distinguishedName === undefined ? '' : distinguishedName.split('\n').reverse().join(',')
}
