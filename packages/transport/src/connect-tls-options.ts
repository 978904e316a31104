/** How a client uses TLS, in Node. */
export interface ConnectTlsOptions {
  /** PEM: the authorities to trust instead of the usual ones. */
  readonly ca?: string | Uint8Array | undefined
  /** PEM: our own certificate and key. */
  readonly certificate?: string | Uint8Array | undefined
  readonly key?: string | Uint8Array | undefined
  readonly passphrase?: string | undefined
  /** The name to ask for and to verify, when it is not the URL's host. */
  readonly serverName?: string | undefined
  /** False accepts any certificate: for tests alone. Default: true. */
  readonly rejectUnauthorized?: boolean | undefined
  /** False accepts a certificate of a trusted authority for another host: for tests alone. Default: true. */
  readonly verifyHostName?: boolean | undefined
  /** Application protocols to offer (ALPN), the preferred first. Default: none. */
  readonly alpnProtocols?: readonly string[] | undefined
  /** Default: TLSv1.2. */
  readonly minimumVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
  /** Cipher suites as OpenSSL lists them. Default: Node's. */
  readonly ciphers?: string | undefined
}
