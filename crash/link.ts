import { connect as connectSocket, type Socket } from 'node:net'
import { type ConnectPacket, encodePacket, type Packet, PacketDecoder } from '@godwit/protocol'

export interface LinkReceiver {
  onPacket(packet: Packet, link: Link): void
  /** Unless the client gave the connection up itself. */
  onClosed(link: Link): void
}

/** One network connection of a client. What is sent within a turn of the event loop goes out in one write. */
export class Link {
  readonly #socket: Socket
  readonly #connect: ConnectPacket
  #receiver: LinkReceiver | undefined
  #waiting: Uint8Array[] = []

  /** Opens a connection, with CONNECT as its first packet. */
  constructor(port: number, connect: ConnectPacket, receiver: LinkReceiver) {
    this.#connect = connect
    this.#receiver = receiver
    const decoder = new PacketDecoder({
      receiver: 'client',
      maximumPacketSize: Infinity,
      protocolVersion: connect.protocolVersion
    })
    this.#socket = connectSocket({ port, host: '127.0.0.1', noDelay: true })
    // The broker is killed in the middle of everything here: what matters is only that the connection is gone.
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => this.#receiver?.onClosed(this))
    this.#socket.on('data', (chunk: Buffer) => {
      decoder.push(chunk)
      for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) this.#receiver?.onPacket(packet, this)
    })
    this.send(connect)
  }

  send(packet: Packet): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#flush())
    this.#waiting.push(encodePacket(packet, this.#connect.protocolVersion))
  }

  /** Ends the connection without DISCONNECT; nothing that still comes is looked at. */
  cut(): void {
    this.abandon()
    this.#socket.destroy()
  }

  /** Leaves it to the broker to end the connection; nothing that still comes is looked at. */
  abandon(): void {
    this.#receiver = undefined
    this.#socket.resume()
  }

  /** Says what is waiting to be said, and closes. */
  end(): void {
    this.#flush()
    this.abandon()
    this.#socket.end()
  }

  #flush(): void {
    if (this.#waiting.length === 0) return
    if (this.#socket.writable) this.#socket.write(Buffer.concat(this.#waiting))
    this.#waiting = []
  }
}
