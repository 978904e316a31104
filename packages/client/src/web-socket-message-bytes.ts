import type { TransportTarget } from './options.ts'

/** What a server may put into one WebSocket message beside the largest packet: messages and packets are cut independently of each other. */
const OTHER_PACKETS_BYTES = 1_048_576

/** The largest WebSocket message to accept: a message may begin and end anywhere in the stream of packets ([5.0 MQTT-6.0.0-2]). */
export function webSocketMessageBytesMax(target: TransportTarget): number {
  return target.maximumPacketSize + OTHER_PACKETS_BYTES
}
