/**
 * The Protocol Version (5.0) or Protocol Level (3.1, 3.1.1) byte of CONNECT.
 * MQTT 3.1 goes by the protocol name "MQIsdp", the later versions by "MQTT".
 */
export const ProtocolVersion = {
  Mqtt31: 3,
  Mqtt311: 4,
  Mqtt5: 5
} as const

export type ProtocolVersion = (typeof ProtocolVersion)[keyof typeof ProtocolVersion]
