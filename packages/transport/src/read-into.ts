import { Socket } from 'node:net'

/** Takes what was read: the first `length` bytes of `buffer`, until it returns. Called on the socket; true: go on reading. */
export type ReadCallback = (this: Socket, length: number, buffer: Uint8Array) => boolean

const READ_BYTES = 64 * 1024

/** What all sockets of this thread are read into, one after the other. */
const buffer = new Uint8Array(READ_BYTES)

interface ReadSymbols {
  readonly buffer: symbol
  readonly callback: symbol
}

const symbols = findSymbols()

/**
 * Has a socket read into one buffer that all share, where Node otherwise allocates one for each read, and passes it
 * through a stream: half of what a small message costs that comes by itself (`bench/README.md`, rate and fanin).
 *
 * Node has this for sockets that connect, as `onread` of `net.connect`, and not for those that a server accepts. What it
 * sets on the former is set here on the latter, if it is found to be as expected.
 *
 * @returns false: not possible here, or something has been read already; 'data' events are to be used
 */
export function readInto(socket: Socket, callback: ReadCallback): boolean {
  if (symbols === undefined || socket.readableLength > 0) return false
  const handle: unknown = Reflect.get(socket, '_handle')
  if (typeof handle !== 'object' || handle === null) return false
  const useUserBuffer: unknown = Reflect.get(handle, 'useUserBuffer')
  if (typeof useUserBuffer !== 'function') return false
  Reflect.apply(useUserBuffer, handle, [buffer])
  Reflect.set(socket, symbols.buffer, buffer)
  Reflect.set(socket, symbols.callback, callback)
  return true
}

function findSymbols(): ReadSymbols | undefined {
  const given = Buffer.alloc(1)
  const onRead = (): boolean => true
  const socket = new Socket({ onread: { buffer: given, callback: onRead } })
  const own = Object.getOwnPropertySymbols(socket)
  const bufferSymbol = own.find((symbol) => Reflect.get(socket, symbol) === given)
  const callbackSymbol = own.find((symbol) => Reflect.get(socket, symbol) === onRead)
  socket.destroy()
  return bufferSymbol === undefined || callbackSymbol === undefined
    ? undefined
    : { buffer: bufferSymbol, callback: callbackSymbol }
}
