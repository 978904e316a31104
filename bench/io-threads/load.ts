import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** Clients that keep a broker busy until they are stopped. */
export interface Load {
  /** Messages delivered, or connections accepted, since the beginning. */
  readonly done: number
  stop(): void
}

/** Where a broker listens, and with which certificate; undefined: without TLS. */
export interface Target {
  readonly port: number
  readonly ca: string | undefined
}

const PAYLOAD_BYTES = 64
const CONNACK_BYTES = 4
const SUBACK_BYTES = 5
const DISCONNECT = Buffer.from([0xe0, 0])

/** Connections are made, so many at a time, taken by the broker, and closed. */
export function connects(target: Target, atATime: number): Load {
  const connecting = new Connecting(target)
  for (let count = 0; count < atATime; count++) void connecting.connectNext()
  return connecting
}

class Connecting implements Load {
  done = 0
  readonly #target: Target
  #isStopped = false

  constructor(target: Target) {
    this.#target = target
  }

  async connectNext(): Promise<void> {
    try {
      const socket = await accepted(this.#target)
      this.done++
      socket.end(DISCONNECT)
    } catch (error) {
      if (!this.#isStopped) throw error
    }
    if (!this.#isStopped) void this.connectNext()
  }

  stop(): void {
    this.#isStopped = true
  }
}

/** Publishers, each with a subscriber of its own, and so many messages on the way from one to the other. */
export async function pointToPoint(target: Target, pairs: number, window: number): Promise<Load> {
  const sockets: Socket[] = []
  const load = { done: 0, stop: (): void => sockets.forEach((socket) => socket.destroy()) }
  for (let pair = 0; pair < pairs; pair++) {
    const topic = `bench/pair/${String(pair).padStart(3, '0')}`
    const [publisher, subscriber] = [await accepted(target), await accepted(target)]
    sockets.push(publisher, subscriber)
    subscriber.write(subscribe(topic))
    await received(subscriber, SUBACK_BYTES)
    const message = publish(topic)
    const messages = Buffer.concat(Array.from({ length: window }, () => message))
    let receivedBytes = 0
    subscriber.on('data', (chunk: Buffer) => {
      const before = Math.floor(receivedBytes / message.length)
      receivedBytes += chunk.length
      const count = Math.floor(receivedBytes / message.length) - before
      load.done += count
      if (count > 0) publisher.write(messages.subarray(0, count * message.length))
    })
    publisher.write(messages)
  }
  return load
}

async function accepted({ port, ca }: Target): Promise<Socket> {
  const host = '127.0.0.1'
  const socket = ca === undefined ? connect({ port, host, noDelay: true }) : connectTls({ port, host, ca })
  // A load that is stopped ends its connections in the middle.
  socket.on('error', () => undefined)
  if (ca !== undefined) socket.setNoDelay()
  await once(socket, ca === undefined ? 'connect' : 'secureConnect')
  socket.write(CONNECT)
  await received(socket, CONNACK_BYTES)
  return socket
}

function received(socket: Socket, bytes: number): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  let count = 0
  const closed = (): void => reject(new Error('the broker has closed a connection'))
  const onData = (chunk: Buffer): void => {
    count += chunk.length
    if (count < bytes) return
    socket.off('data', onData).off('close', closed)
    resolve(undefined)
  }
  socket.on('data', onData).on('close', closed)
  return promise
}

/** 3.1.1, an empty ClientID, Clean Session, no keep alive. */
const CONNECT = Buffer.from('100c00044d515454040200000000', 'hex')

function subscribe(topicFilter: string): Buffer {
  return Buffer.concat([
    Buffer.from([0x82, topicFilter.length + 5, 0, 1, 0, topicFilter.length]),
    Buffer.from(topicFilter),
    Buffer.from([0])
  ])
}

/** At QoS 0, which is as short on its way out as on its way in. */
function publish(topicName: string): Buffer {
  const length = 2 + topicName.length + PAYLOAD_BYTES
  return Buffer.concat([
    Buffer.from([0x30, length, 0, topicName.length]),
    Buffer.from(topicName),
    Buffer.alloc(PAYLOAD_BYTES, '.')
  ])
}
