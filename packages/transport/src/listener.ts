import type { Server } from 'node:net'
import type { CertificateOptions } from './listen-options.ts'
import type { Listener, TransportKind } from './transport.ts'

/** A listener with TLS. */
export interface SecureListener extends Listener {
  /**
   * Uses another certificate, key and authorities for connections from now on; those that are open keep theirs. Passing no `ca`
   * drops the authorities. Throws a ListenError, and changes nothing, if they do not fit.
   */
  updateCertificate(certificate: CertificateOptions): void
}

export interface BoundListener {
  readonly kind: TransportKind
  readonly url: string
  readonly port: number
  readonly server: Server
  /** Closes what is accepted but not handed over. */
  readonly destroyPending: () => void
}

export class ServerListener implements Listener {
  readonly kind: TransportKind
  readonly url: string
  readonly port: number
  readonly #bound: BoundListener

  constructor(bound: BoundListener) {
    this.kind = bound.kind
    this.url = bound.url
    this.port = bound.port
    this.#bound = bound
  }

  /** Node's own callback would wait for every connection; the port itself is free after one turn of the event loop. */
  close(): Promise<void> {
    if (this.#bound.server.listening) this.#bound.server.close()
    this.#bound.destroyPending()
    return new Promise((resolve) => setImmediate(resolve))
  }
}

export class SecureServerListener extends ServerListener implements SecureListener {
  readonly #update: (certificate: CertificateOptions) => void

  constructor(bound: BoundListener, update: (certificate: CertificateOptions) => void) {
    super(bound)
    this.#update = update
  }

  updateCertificate(certificate: CertificateOptions): void {
    this.#update(certificate)
  }
}
