import { connect } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { makeTestCertificates } from './certificates.test.support.ts'
import { cleanupsAfterEach } from './cleanup.test.support.ts'
import { connectTransport } from './connect-transport.ts'
import { nextEvent, textMatching } from './expectations.test.support.ts'
import { listen } from './listen.ts'
import type { SecureWebSocketListenOptions, TlsListenOptions } from './listen-options.ts'
import type { SecureListener } from './listener.ts'
import type { PeerAddress } from './peer-address.ts'
import { Recorder, turns } from './recorder.test.support.ts'
import { clientCertificateProblem } from './tls-stage.ts'
import type { Transport } from './transport.ts'

const made = makeTestCertificates()
const afterwards = cleanupsAfterEach()

interface Report {
  readonly error: Error
  readonly peer: PeerAddress
}

test('a resumed session counts as authorized, but not as a certificate', () => {
  const resumed = { authorized: true, authorizationError: new Error('none'), getPeerX509Certificate: () => undefined }
  expect(clientCertificateProblem(resumed, 'required')?.message).toBe('the client presented no certificate')
  expect(clientCertificateProblem(resumed, 'requested')).toBeUndefined()
})

describe('TLS', () => {
  if (made === undefined) {
    test.skip('needs the openssl command', () => undefined)
    return
  }
  const certificates = made
  const { authority, server, renewed, client, stranger } = certificates
  const ca = authority.certificate
  const secured = { kind: 'tls', port: 0, ...server } as const

  async function listening(options: TlsListenOptions | SecureWebSocketListenOptions): Promise<{
    listener: SecureListener
    transports: Transport[]
    accepted: Promise<Transport>
    reported: Promise<Report>
  }> {
    const accepted = Promise.withResolvers<Transport>()
    const reported = Promise.withResolvers<Report>()
    const transports: Transport[] = []
    const onError = (error: Error, peer: PeerAddress): void => reported.resolve({ error, peer })
    const listener = await listen({ ...options, onError }, (transport) => {
      afterwards(() => transport.destroy())
      transports.push(transport)
      accepted.resolve(transport)
    })
    afterwards(() => listener.close())
    return { listener, transports, accepted: accepted.promise, reported: reported.promise }
  }

  async function dial(listener: SecureListener, options: ConnectionOptions = {}): Promise<TLSSocket> {
    const socket = connectTls({ port: listener.port, host: '127.0.0.1', ca, servername: 'localhost', ...options })
    afterwards(() => socket.destroy())
    socket.on('error', () => undefined)
    await new Promise((resolve) => socket.once('secureConnect', resolve).once('close', resolve))
    return socket
  }

  test('without client certificates a peer has none', async () => {
    const { listener, accepted } = await listening(secured)
    expect(listener.url).toBe(`mqtts://127.0.0.1:${listener.port}`)
    const socket = await dial(listener, { cert: client.certificate, key: client.key })
    expect(socket.authorized).toBe(true)
    expect((await accepted).peer).toEqual({ address: '127.0.0.1', port: socket.localPort, certificate: undefined })
  })

  test.each(['tls', 'secure-websocket'] as const)('a required client certificate is verified and told (%s)', async (kind) => {
    const { listener, accepted } = await listening({ kind, port: 0, ...server, ca, clientCertificates: 'required' })
    const far = await connectTransport({ url: listener.url, tls: { ca, certificate: client.certificate, key: client.key } })
    afterwards(() => far.destroy())
    const { certificate } = (await accepted).peer
    expect(certificate).toEqual({
      commonName: 'device-1',
      subject: String.raw`CN=device-1,O=Waders\, Ltd,C=NZ`,
      issuer: 'CN=Authority,O=Godwit',
      fingerprint: textMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
    })
    expect(far.peer.certificate).toMatchObject({ commonName: 'localhost' })
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a required client certificate that is absent is refused (%s)',
    async (maxVersion) => {
      const { listener, reported, transports } = await listening({ ...secured, ca, clientCertificates: 'required' })
      const socket = await dial(listener, { maxVersion })
      const { error, peer } = await reported
      expect(error.message).toBe('the client presented no certificate')
      expect(peer.address).toBe('127.0.0.1')
      if (!socket.closed) await nextEvent(socket.resume(), 'close')
      expect(transports).toEqual([])
    }
  )

  test.each(['requested', 'required'] as const)(
    'a client certificate of another authority is refused when %s',
    async (clientCertificates) => {
      const { listener, reported, transports } = await listening({ ...secured, ca, clientCertificates })
      const socket = await dial(listener, { cert: stranger.certificate, key: stranger.key })
      expect((await reported).error.message).toMatch(/^the client's certificate is refused: /)
      if (!socket.closed) await nextEvent(socket.resume(), 'close')
      expect(transports).toEqual([])
    }
  )

  test('a requested client certificate may be absent', async () => {
    const { listener, accepted } = await listening({ ...secured, ca, clientCertificates: 'requested' })
    await dial(listener)
    expect((await accepted).peer.certificate).toBeUndefined()
  })

  test('TLS 1.1 is refused, and TLS 1.2 too when 1.3 is the minimum', async () => {
    const { listener, accepted, reported } = await listening({ ...secured, minimumTlsVersion: 'TLSv1.3' })
    await dial(listener, { maxVersion: 'TLSv1.2' })
    expect((await reported).error.message).toBe('TLS handshake failed: unsupported protocol')
    await dial(listener)
    await accepted
    const older = await listening(secured)
    await dial(older.listener, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
    expect((await older.reported).error.message).toBe('TLS handshake failed: unsupported protocol')
  })

  test('a client that does not verify the host name takes a certificate for another, but none of another authority', async () => {
    const { listener } = await listening(secured)
    const elsewhere = { serverName: 'elsewhere.example' }
    const dialled = (tls: object): Promise<Transport> => connectTransport({ url: listener.url, tls })
    await expect(dialled({ ca, ...elsewhere })).rejects.toThrow('does not match certificate')
    const transport = await dialled({ ca, ...elsewhere, verifyHostName: false })
    afterwards(() => transport.destroy())
    expect(transport.kind).toBe('tls')
    await expect(dialled({ ca: stranger.certificate, ...elsewhere, verifyHostName: false })).rejects.toThrow('unable to verify')
  })

  test('updateCertificate serves new connections with another certificate and keeps the old ones open', async () => {
    const { listener, accepted } = await listening(secured)
    const before = await dial(listener)
    expect(before.getPeerCertificate().subject.CN).toBe('localhost')
    listener.updateCertificate(renewed)
    const after = await dial(listener, { checkServerIdentity: () => undefined })
    expect(after.getPeerCertificate().subject.CN).toBe('renewed.localhost')
    const here = Recorder.on(await accepted)
    before.write('still here')
    expect((await here.untilReceived(10)).toString()).toBe('still here')
  })

  test('updateCertificate changes nothing when the new one does not fit', async () => {
    const { listener } = await listening({ ...secured, ca, clientCertificates: 'requested' })
    expect(() => listener.updateCertificate({ ...renewed, key: server.key, ca })).toThrow(
      `cannot listen on ${listener.url}: the key does not belong to the certificate`
    )
    expect(() => listener.updateCertificate(renewed)).toThrow(/needs the authorities/)
    expect((await dial(listener)).getPeerCertificate().subject.CN).toBe('localhost')
  })

  test('updateCertificate with other authorities refuses the clients of the former', async () => {
    const { listener, accepted, reported } = await listening({
      ...secured,
      ca: stranger.certificate,
      clientCertificates: 'required'
    })
    const mine = { cert: client.certificate, key: client.key }
    await dial(listener, mine)
    expect((await reported).error.message).toMatch(/refused/)
    listener.updateCertificate({ ...server, ca })
    await dial(listener, mine)
    expect((await accepted).peer.certificate?.commonName).toBe('device-1')
  })

  test.each([
    ['bytes that are not TLS', Buffer.from('101000044d5154540400000000000000000000', 'hex'), /^TLS handshake failed: /],
    ['a handshake that breaks off', Buffer.from('1603010200', 'hex'), /before the TLS handshake was complete|handshake failed/]
  ])('%s: reported with the address, and the process lives', async (_name, bytes, message) => {
    const { listener, reported, accepted } = await listening(secured)
    const socket = connect(listener.port, '127.0.0.1')
    socket.on('error', () => undefined)
    await nextEvent(socket, 'connect')
    const port = socket.localPort
    socket.end(bytes)
    const { error, peer } = await reported
    expect(error.message).toMatch(message)
    expect(peer).toEqual({ address: '127.0.0.1', port })
    await dial(listener)
    await accepted
  })

  test('a reset in the handshake is reported with the address, and the process lives', async () => {
    const { listener, reported, accepted } = await listening(secured)
    const socket = connect(listener.port, '127.0.0.1')
    await nextEvent(socket, 'connect')
    const port = socket.localPort
    await new Promise((resolve) => socket.write(Buffer.from('1603010200', 'hex'), resolve))
    await turns(20)
    socket.resetAndDestroy()
    expect((await reported).peer).toEqual({ address: '127.0.0.1', port })
    await dial(listener)
    await accepted
  })

  test('a client that does not trust the certificate is reported with its alert', async () => {
    const { listener, reported } = await listening(secured)
    await expect(connectTransport({ url: listener.url })).rejects.toMatchObject({
      code: textMatching(/CERT|ISSUER|SIGNATURE/)
    })
    expect((await reported).error.message).toMatch(/TLS handshake/)
  })

  test('a handshake that does not begin is closed in time', async () => {
    const { listener, reported } = await listening({ ...secured, handshakeTimeoutMs: 30 })
    const socket = connect(listener.port, '127.0.0.1')
    expect((await reported).error.message).toBe('no TLS handshake within 0.03 seconds')
    await nextEvent(socket.resume(), 'close')
  })

  test('a reset after the handshake is the error of the close', async () => {
    const { listener, accepted } = await listening(secured)
    const raw = connect(listener.port, '127.0.0.1')
    const socket = connectTls({ socket: raw, ca, servername: 'localhost' })
    socket.on('error', () => undefined)
    await nextEvent(socket, 'secureConnect')
    const near = await accepted
    const here = Recorder.on(near)
    near.write(Buffer.from('hello'))
    await nextEvent(socket, 'data')
    raw.resetAndDestroy()
    expect(await here.untilClosed()).toMatchObject({ code: 'ECONNRESET' })
  })

  test.each([
    ['BAD_CERTIFICATE', { certificate: 'not a certificate' }, /the certificate is not a PEM certificate/],
    ['BAD_KEY', { key: 'not a key' }, /the key is not a PEM private key/],
    ['KEY_MISMATCH', { key: renewed.key }, /the key does not belong to the certificate/],
    ['BAD_CA', { ca: 'no authorities' }, /the authorities \(ca\) hold no PEM certificate/],
    ['BAD_CA', { ca: ca.replace(/[A-Za-z0-9+/]{64}\n/, '') }, /an authority \(ca\) cannot be read/],
    ['BAD_CA', { clientCertificates: 'required' }, /to ask for client certificates it needs the authorities/]
  ] as const)('%s rejects with one clear line', async (code, wrong, message) => {
    const refused = listen({ ...secured, ...wrong }, () => undefined)
    await expect(refused).rejects.toMatchObject({ name: 'ListenError', code })
    await expect(refused).rejects.toThrow(message)
    await expect(refused).rejects.toThrow('cannot listen on mqtts://127.0.0.1:0: ')
  })
})
