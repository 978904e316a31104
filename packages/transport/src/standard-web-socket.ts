/** What is used of the WebSocket of browsers, Node and others, by hand: neither DOM types nor Node's are needed to compile against it. */
export interface StandardWebSocket {
  readonly readyState: number
  readonly bufferedAmount: number
  /** The subprotocol that the server selected; empty for none. */
  readonly protocol: string
  binaryType: string
  /** Memory that is shared with other threads is refused. */
  send(bytes: Uint8Array<ArrayBuffer>): void
  close(code: number, reason: string): void
  addEventListener(type: 'open', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: StandardCloseEvent) => void): void
}

export interface StandardCloseEvent {
  /** 1005: the close frame had none; 1006: there was no close frame. */
  readonly code: number
  readonly reason: string
}

/** `readyState` of a WebSocket that takes messages. */
export const WEB_SOCKET_OPEN = 1
