import type { QoS } from '@godwit/protocol'

/** The QoS of a delivery ([5.0 MQTT-3.8.4-8] [3.1.1 MQTT-3.8.4-6]). */
export function lowerQoS(published: QoS, granted: QoS): QoS {
  return published < granted ? published : granted
}
