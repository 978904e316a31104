import { PacketType } from '../packet-type.ts'
import type { Writer } from '../writer.ts'

/** PINGREQ: the client is alive and asks the same of the server ([5.0 3.12], [3.1.1 3.12]). */
export interface PingreqPacket {
  readonly type: typeof PacketType.Pingreq
}

/** PINGRESP: the answer to PINGREQ ([5.0 3.13], [3.1.1 3.13]). */
export interface PingrespPacket {
  readonly type: typeof PacketType.Pingresp
}

/*
PINGREQ, PINGRESP => (nothing)
*/

/** The one PINGREQ there is. */
export const PINGREQ: PingreqPacket = Object.freeze({ type: PacketType.Pingreq })

/** The one PINGRESP there is. */
export const PINGRESP: PingrespPacket = Object.freeze({ type: PacketType.Pingresp })

export function encodePing(writer: Writer, packet: PingreqPacket | PingrespPacket): Uint8Array {
  return writer.packet(packet.type << 4)
}
