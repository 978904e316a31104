/** What carries the bytes. */
export type TransportKind = 'tcp' | 'tls' | 'websocket' | 'secure-websocket' | 'unix' | 'memory'

/** The peer as the listener saw it, or as a trusted proxy reported it (PROXY protocol). */
export interface TransportPeer {
  /** IP address without brackets; empty for a Unix socket, and in browsers, which do not tell. */
  readonly address: string
  /** 0 where the address is empty. */
  readonly port: number
  /** The verified client certificate of a TLS connection. */
  readonly certificate: PeerCertificate | undefined
}

export interface PeerCertificate {
  /** The subject's common name; empty if it has none. */
  readonly commonName: string
  /** The subject as one line, RFC 4514 style. */
  readonly subject: string
  /** The issuer as one line, RFC 4514 style. */
  readonly issuer: string
  /** SHA-256 of the certificate, upper-case hexadecimal with colons. */
  readonly fingerprint: string
}

/**
 * One network connection: an ordered, lossless stream of bytes both ways ([5.0 MQTT-4.2.0-1]).
 * It knows nothing of packets. Nothing is read before `start`.
 */
export interface Transport {
  readonly kind: TransportKind
  readonly peer: TransportPeer
  /** Bytes handed to `write` that the operating system (or the peer, in memory) has not taken yet. */
  readonly bufferedBytes: number
  /** Begins to read; called once, with the receiver of everything that happens from here on. */
  start(receiver: TransportReceiver): void
  /**
   * Sends bytes, in order. They must not be changed while `bufferedBytes` is above 0.
   * Returns false when the peer reads more slowly than we write: `onDrain` tells when it has caught up. The bytes are taken all
   * the same: whoever writes on regardless fills memory. Does nothing and returns false after `end`, `destroy` and close.
   */
  write(bytes: Uint8Array): boolean
  /** Holds writes back until `uncork`, so that they leave in one system call. */
  cork(): void
  uncork(): void
  /** Stops reading: the peer is held back by its own transport. A chunk already on its way may still arrive. */
  pause(): void
  resume(): void
  /**
   * Closes once everything written is sent; `onClose` follows, `onData` does not any more. A peer that does not read holds it
   * open for as long as bytes wait: `destroy` when that takes too long.
   */
  end(): void
  /** Closes at once, dropping what is not yet sent; `onClose` follows, after this call, and nothing else does. */
  destroy(): void
}

export interface TransportReceiver {
  /** Bytes from the peer, any cut, until the call returns: then the transport may write others to the chunk. */
  onData(chunk: Uint8Array): void
  /** Everything written has been taken, after a `write` that returned false. */
  onDrain(): void
  /** The connection is gone, once, whoever closed it; with the error if that was why. */
  onClose(error: Error | undefined): void
}

/** Something that accepts connections until it is closed. */
export interface Listener {
  readonly kind: TransportKind
  /** Where clients connect to, as a URL: `mqtt://127.0.0.1:1883`, `wss://[::1]:8084/mqtt`, `unix:/run/godwit.sock`. */
  readonly url: string
  /** The bound TCP port (the one chosen when 0 was asked for); 0 for a Unix socket. */
  readonly port: number
  /** Stops accepting; connections already handed over stay open. */
  close(): Promise<void>
}
