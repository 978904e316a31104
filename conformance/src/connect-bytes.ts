import { fromHex } from '@godwit/testkit'

/** The parts of a CONNECT in bytes, so that a test can send what no encoder would write. */
export interface ConnectParts {
  /** Default: `MQTT`. */
  readonly protocolName?: string
  /** Default: 5. */
  readonly version?: number
  /** Default: Clean Start. */
  readonly flags?: number
  /** With their length, in hexadecimal. Default: none. */
  readonly properties?: string
  /** In hexadecimal. Default: the ClientID `a`. */
  readonly payload?: string
}

export const ConnectFlag = {
  Reserved: 0x01,
  CleanStart: 0x02,
  Will: 0x04,
  WillQoS1: 0x08,
  WillQoS2: 0x10,
  WillRetain: 0x20,
  Password: 0x40,
  UserName: 0x80
} as const

/** A CONNECT of up to 127 bytes with Keep Alive 0. */
export function connectBytes({
  protocolName = 'MQTT',
  version = 5,
  flags = ConnectFlag.CleanStart,
  properties = '00',
  payload = text('a')
}: ConnectParts = {}): Uint8Array {
  const body = Buffer.concat([
    fromHex(text(protocolName)),
    Buffer.from([version, flags, 0, 0]),
    fromHex(properties),
    fromHex(payload)
  ])
  if (body.byteLength > 127) throw new RangeError(`a CONNECT of ${body.byteLength} bytes needs a longer Remaining Length`)
  return Buffer.concat([Buffer.from([0x10, body.byteLength]), body])
}

/** A string, or binary data given as text, with its length, in hexadecimal. */
export function text(content: string): string {
  const bytes = Buffer.from(content)
  return `${bytes.byteLength.toString(16).padStart(4, '0')}${bytes.toString('hex')}`
}
