import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Whether the openssl command is there to make certificates. */
export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Makes NAME.pem and NAME.key in a directory: of an authority if none is named to issue it, else for localhost. */
export function makeCertificate(directory: string, name: string, issuer?: string): void {
  const path = (file: string): string => join(directory, file)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', path(`${name}.key`)]
  const issued =
    issuer === undefined
      ? ['-addext', 'basicConstraints=critical,CA:TRUE']
      : ['-CA', path(`${issuer}.pem`), '-CAkey', path(`${issuer}.key`), '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const request = ['req', '-x509', '-days', '2', '-subj', `/CN=${name}`, ...key, ...issued, '-out', path(`${name}.pem`)]
  execFileSync('openssl', request, { stdio: 'pipe' })
}
