import { connect, createServer, type Server, type Socket } from 'node:net'

/** A way to a server on this machine that a test breaks and mends. */
export class BreakableLink {
  readonly #target: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isUp = true
  /** What may still pass towards the server before the link breaks. */
  #bytesLeft = Infinity

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer((socket) => this.#onConnection(socket))
  }

  static async to(port: number): Promise<BreakableLink> {
    const link = new BreakableLink(port)
    await new Promise<void>((resolve) => void link.#server.listen(0, '127.0.0.1', resolve))
    return link
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' ? (address?.port ?? 0) : 0
  }

  /** Breaks every connection; further ones break at once. */
  breaks(): void {
    this.#isUp = false
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Breaks after so many bytes towards the server, in the middle of whatever they are. */
  breaksAfter(bytes: number): void {
    this.#bytesLeft = bytes
  }

  isMended(): void {
    this.#isUp = true
    this.#bytesLeft = Infinity
  }

  close(): void {
    this.breaks()
    this.#server.close()
  }

  #onConnection(near: Socket): void {
    if (!this.#isUp) {
      near.destroy()
      return
    }
    const far = connect(this.#target, '127.0.0.1')
    for (const [socket, other] of [
      [near, far],
      [far, near]
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
    far.pipe(near)
    near.on('data', (chunk: Buffer) => this.#pass(chunk, far))
  }

  #pass(chunk: Buffer, far: Socket): void {
    far.write(chunk.subarray(0, this.#bytesLeft))
    this.#bytesLeft -= chunk.length
    // What was passed on before the break arrives.
    if (this.#bytesLeft < 0) far.write('', () => this.breaks())
  }
}
