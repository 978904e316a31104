import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { getCACertificates } from 'node:tls'
import type { ClientOptions } from '@godwit/client'
import { Misuse, notAccepted } from '../misuse.ts'
import type { ProfileFlags } from './connection-flags.ts'
import { readNamedFile, whyNot } from './read-file.ts'

type TlsOptions = NonNullable<ClientOptions['tls']>

/**
 * What the flags say of TLS, with the files read.
 *
 * @throws {Misuse}
 */
export function tlsOptionsOf(flags: ProfileFlags): TlsOptions {
  const { cert, key, insecure, tlsAlpn, tlsVersion, ciphers } = flags
  if ((cert === undefined) !== (key === undefined)) throw new Misuse('--cert and --key go together')
  return {
    ...(trusts(flags) ? { ca: authorities(flags) } : {}),
    ...(cert === undefined ? {} : { certificate: readNamedFile('--cert', cert) }),
    ...(key === undefined ? {} : { key: readNamedFile('--key', key) }),
    ...(insecure === true ? { verifyHostName: false } : {}),
    ...(tlsAlpn === undefined ? {} : { alpnProtocols: [tlsAlpn] }),
    ...(tlsVersion === undefined ? {} : { minimumVersion: versionOf(tlsVersion) }),
    ...(ciphers === undefined ? {} : { ciphers })
  }
}

function trusts({ cafile, capath, tlsUseOsCerts }: ProfileFlags): boolean {
  return cafile !== undefined || capath !== undefined || tlsUseOsCerts === true
}

/** PEM, one certificate after the other. */
function authorities({ cafile, capath, tlsUseOsCerts }: ProfileFlags): string {
  return [
    ...(cafile === undefined ? [] : [readNamedFile('--cafile', cafile).toString()]),
    ...(capath === undefined ? [] : certificatesIn(capath)),
    ...(tlsUseOsCerts === true ? getCACertificates('system') : [])
  ].join('\n')
}

function certificatesIn(folder: string): string[] {
  const files = namesIn(folder).filter((name) => /\.(crt|pem)$/.test(name))
  if (files.length === 0) throw new Misuse(`--capath is ${JSON.stringify(folder)}, where there is no .crt or .pem file`)
  return files.map((name) => readNamedFile('--capath', join(folder, name)).toString())
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    throw new Misuse(`--capath is ${JSON.stringify(folder)}, which cannot be read: ${whyNot(error)}`)
  }
}

function versionOf(text: string): 'TLSv1.2' | 'TLSv1.3' {
  switch (text) {
    case 'tlsv1.2':
      return 'TLSv1.2'
    case 'tlsv1.3':
      return 'TLSv1.3'
    default:
      throw notAccepted('--tls-version', text, 'tlsv1.2 or tlsv1.3')
  }
}
