import { INFLIGHT_MAXIMUM_BEFORE_5 } from './limits.ts'
import type { ConnackProperties, QoS } from '@godwit/protocol'

/** What the server takes on this connection; what CONNACK leaves out has the specification's default ([5.0 3.2.2.3]). */
export interface ServerLimits {
  /** QoS 1 and 2 messages that it takes before it has acknowledged the first. */
  readonly receiveMaximum: number
  readonly maximumQoS: QoS
  readonly isRetainAvailable: boolean
  /** Bytes. */
  readonly maximumPacketSize: number
  readonly topicAliasMaximum: number
  readonly areWildcardsAvailable: boolean
  readonly areSubscriptionIdentifiersAvailable: boolean
  readonly areSharedSubscriptionsAvailable: boolean
}

/** @param inflightMaximum what the application asks for, if it does */
export function serverLimitsOf(
  properties: ConnackProperties,
  isMqtt5: boolean,
  inflightMaximum: number | undefined
): ServerLimits {
  return {
    receiveMaximum: isMqtt5 ? (properties.receiveMaximum ?? 0xffff) : (inflightMaximum ?? INFLIGHT_MAXIMUM_BEFORE_5),
    maximumQoS: properties.maximumQoS ?? 2,
    isRetainAvailable: properties.retainAvailable ?? true,
    maximumPacketSize: properties.maximumPacketSize ?? Infinity,
    topicAliasMaximum: properties.topicAliasMaximum ?? 0,
    areWildcardsAvailable: properties.wildcardSubscriptionAvailable ?? true,
    areSubscriptionIdentifiersAvailable: isMqtt5 && (properties.subscriptionIdentifiersAvailable ?? true),
    areSharedSubscriptionsAvailable: properties.sharedSubscriptionAvailable ?? true
  }
}
