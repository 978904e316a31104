import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface TestCertificate {
  readonly certificate: string
  readonly key: string
}

export interface TestCertificates {
  readonly authority: TestCertificate
  readonly server: TestCertificate
  /** Another certificate of the same authority for the same server. */
  readonly renewed: TestCertificate
  readonly client: TestCertificate
  /** Of an authority that the server does not know. */
  readonly stranger: TestCertificate
}

/** Fresh certificates for `localhost` and 127.0.0.1, made by the openssl command; undefined where there is none. */
export function makeTestCertificates(): TestCertificates | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-certificates-'))
  try {
    writeFileSync(join(directory, 'config'), '[req]\ndistinguished_name = names\nutf8 = yes\n[names]\n')
    const make = (name: string, subject: string, issuer: string | undefined, extensions: readonly string[]): TestCertificate => {
      const file = (extension: string, of = name): string => join(directory, `${of}.${extension}`)
      const issuing = issuer === undefined ? [] : ['-CA', file('pem', issuer), '-CAkey', file('key', issuer)]
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('key')]
      const added = extensions.flatMap((extension) => ['-addext', extension])
      const request = ['req', '-x509', '-config', file('', 'config').slice(0, -1), '-days', '2', '-subj', subject]
      execFileSync('openssl', [...request, ...issuing, ...key, ...added, '-out', file('pem')], { stdio: 'pipe' })
      return { certificate: readFileSync(file('pem'), 'utf8'), key: readFileSync(file('key'), 'utf8') }
    }
    const isAuthority = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign']
    const isServer = ['subjectAltName=DNS:localhost,IP:127.0.0.1']
    const authority = make('authority', '/O=Godwit/CN=Authority', undefined, isAuthority)
    make('other', '/CN=Other authority', undefined, isAuthority)
    return {
      authority,
      server: make('server', '/CN=localhost', 'authority', isServer),
      renewed: make('renewed', '/CN=renewed.localhost', 'authority', isServer),
      client: make('client', '/C=NZ/O=Waders, Ltd/CN=device-1', 'authority', []),
      stranger: make('stranger', '/CN=device-1', 'other', [])
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  } finally {
    rmSync(directory, { recursive: true })
  }
}
