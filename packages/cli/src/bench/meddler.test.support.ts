import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { PacketDecoder, PacketType } from '@godwit/protocol'

/** What is done to the messages on their way to a subscriber: what comes instead of a PUBLISH that has this number, from 0, on its connection. */
export type Meddling = (publish: Buffer, number: number) => readonly Buffer[]

export interface Meddler {
  readonly url: string
  /** Of all who have connected. */
  readonly clientIds: ReadonlySet<string>
  close(): Promise<void>
}

/** Stands between clients and a broker, and does to messages what no broker may. */
export async function meddler(brokerPort: number, meddling: () => Meddling = () => (publish) => [publish]): Promise<Meddler> {
  const sockets = new Set<Socket>()
  const clientIds = new Set<string>()
  const server = createServer((client) => {
    const broker = connect(brokerPort, '127.0.0.1')
    const meddle = meddling()
    let rest: Buffer = Buffer.alloc(0)
    let publishes = 0
    for (const socket of [client, broker]) {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => void [client, broker].map((each) => each.destroy()))
    }
    const decoder = new PacketDecoder({ receiver: 'server', maximumPacketSize: 1_000_000 })
    client.on('data', (chunk: Buffer) => {
      broker.write(chunk)
      decoder.push(chunk)
      for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) {
        if (packet.type === PacketType.Connect) clientIds.add(packet.clientId)
      }
      decoder.keep()
    })
    broker.on('data', (chunk: Buffer) => {
      const { packets, rest: left } = packetsOf(Buffer.concat([rest, chunk]))
      rest = left
      const passed = packets.flatMap((packet) =>
        (packet[0] ?? 0) >> 4 === PacketType.Publish ? meddle(packet, publishes++) : [packet]
      )
      client.write(Buffer.concat(passed))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `mqtt://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    clientIds,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  }
}

/** Cuts bytes into whole packets; what is left is the beginning of the next. */
function packetsOf(bytes: Buffer): { readonly packets: Buffer[]; readonly rest: Buffer } {
  const packets: Buffer[] = []
  let start = 0
  for (;;) {
    const end = endOfPacket(bytes, start)
    if (end > bytes.byteLength) return { packets, rest: bytes.subarray(start) }
    packets.push(bytes.subarray(start, end))
    start = end
  }
}

/** By its Remaining Length ([5.0 2.1.4]); Infinity: not all of that is there. */
function endOfPacket(bytes: Buffer, start: number): number {
  let length = 0
  for (let index = 1; index <= 4; index++) {
    const byte = bytes[start + index]
    if (byte === undefined) return Infinity
    length += (byte & 0x7f) * 128 ** (index - 1)
    if (byte < 0x80) return start + index + 1 + length
  }
  throw new RangeError('not a packet')
}
