import { existsSync } from 'node:fs'
import { dirname } from 'node:path'

/** A listener that could not be opened, or not be given a certificate. The message is one line for the operator. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  /**
   * The operating system's or Node's code (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, `ENOTFOUND`, ...), or one of ours:
   * `BAD_OPTION`, `BAD_CERTIFICATE`, `BAD_KEY`, `KEY_MISMATCH`, `BAD_CA`.
   */
  readonly code: string
  /** The listener, as in `Listener.url`. */
  readonly url: string
  /** The message without the address. */
  readonly reason: string

  constructor(code: string, url: string, reason: string, options?: ErrorOptions) {
    super(`cannot listen on ${url}: ${reason}`, options)
    this.code = code
    this.url = url
    this.reason = reason
  }
}

/** What the operating system's refusal to listen means. */
export function bindError(url: string, cause: Error, path: string | undefined): ListenError {
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : 'UNKNOWN'
  const subject = path === undefined ? 'the port' : `the socket ${path}`
  return new ListenError(code, url, reasonOf(code, subject, path) ?? cause.message, { cause })
}

function reasonOf(code: string, subject: string, path: string | undefined): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `${subject} is in use by another program`
    case 'EACCES':
      if (path === undefined) return 'permission denied: ports below 1024 usually need a privilege'
      return existsSync(dirname(path)) ? `permission denied in ${dirname(path)}` : `the directory ${dirname(path)} does not exist`
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name cannot be resolved'
    case 'ERR_SOCKET_BAD_PORT':
      return 'the port is not 0 to 65535'
    case 'EINVAL':
    case 'ENAMETOOLONG':
      return path === undefined
        ? undefined
        : `the operating system does not accept the path, which has ${Buffer.byteLength(path)} bytes`
    default:
      return undefined
  }
}
