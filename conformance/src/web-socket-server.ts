import { once } from 'node:events'
import { type Packet, PacketDecoder, type PacketType, type ProtocolVersion } from '@godwit/protocol'
import { type WebSocket, WebSocketServer } from 'ws'

/** A WebSocket server that reads packets, for clients on real sockets. */
export class PacketWebSocketServer implements AsyncDisposable {
  readonly #server: WebSocketServer
  readonly #connections: Promise<WebSocketConnection>

  private constructor(server: WebSocketServer) {
    this.#server = server
    this.#connections = once(server, 'connection').then(([socket]: WebSocket[]) => {
      if (socket === undefined) throw new Error('no socket came with the connection')
      return new WebSocketConnection(socket)
    })
  }

  /** Listens on a free port of this machine. */
  static async start(): Promise<PacketWebSocketServer> {
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      handleProtocols: (offered) => [...offered][0] ?? false
    })
    await once(server, 'listening')
    return new PacketWebSocketServer(server)
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the server does not listen')
    return `ws://127.0.0.1:${address.port}/mqtt`
  }

  /** The first connection. */
  isCalled(): Promise<WebSocketConnection> {
    return this.#connections
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#server.clients) client.terminate()
    await new Promise((resolve) => {
      this.#server.close(resolve)
    })
  }
}

/** The server's end of one WebSocket. */
export class WebSocketConnection {
  readonly socket: WebSocket
  /** Whether each message came in a binary frame. */
  readonly binary: boolean[] = []
  readonly #decoder = new PacketDecoder({ receiver: 'server', maximumPacketSize: Infinity })
  readonly #packets: Packet[] = []
  #waiting: (() => void) | undefined = undefined

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data, isBinary) => {
      this.binary.push(isBinary)
      if (!Buffer.isBuffer(data)) throw new Error('the message came in parts')
      this.#decoder.push(data)
      for (let next = this.#decoder.next(); next !== undefined; next = this.#decoder.next()) this.#packets.push(next)
      this.#waiting?.()
    })
  }

  get version(): ProtocolVersion | undefined {
    return this.#decoder.protocolVersion
  }

  /** The next packet; fails the test if it is of another type. */
  async receives(type: PacketType): Promise<Packet> {
    while (this.#packets.length === 0) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
    const packet = this.#packets.shift()
    if (packet?.type !== type) throw new Error(`a packet of type ${packet?.type} came, not of ${type}`)
    return packet
  }

  async isClosed(): Promise<void> {
    if (this.socket.readyState !== this.socket.CLOSED) await once(this.socket, 'close')
  }
}
