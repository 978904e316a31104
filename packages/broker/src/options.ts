import type { QoS } from '@godwit/protocol'
import { SHARE_STRATEGIES, type ShareStrategy } from './share-strategies.ts'

/** What the broker offers to its clients; CONNACK tells 5.0 clients of what is switched off. */
export interface Features {
  /** The highest QoS that clients may publish with. Default: 2. */
  readonly maximumQoS: QoS
  /** Default: true. */
  readonly retainAvailable: boolean
  /** Default: true. */
  readonly wildcardSubscriptionAvailable: boolean
  /** Default: true. */
  readonly subscriptionIdentifiersAvailable: boolean
  /** Default: true; `$share/NAME/FILTER` works for 3.1 and 3.1.1 clients as well. */
  readonly sharedSubscriptionAvailable: boolean
}

export const DEFAULT_FEATURES: Features = {
  maximumQoS: 2,
  retainAvailable: true,
  wildcardSubscriptionAvailable: true,
  subscriptionIdentifiersAvailable: true,
  sharedSubscriptionAvailable: true
}

/** How the broker behaves where the specification leaves it the choice. */
export interface Behaviour {
  /** How shared subscriptions choose a member. Default: round-robin. */
  readonly shareStrategy: ShareStrategy
  /** What 5.0 clients get that ask for Response Information: the beginning of their response topics. Default: none. */
  readonly responseInformation: string | undefined
  /**
   * What happens to a PUBLISH of a 3.1 or 3.1.1 client that it is not authorized for, since it cannot be told:
   * `acknowledge` it and drop the message, or `close` the connection ([3.1.1 MQTT-3.3.5-2]). Default: acknowledge.
   */
  readonly unauthorizedPublishMqtt3: 'acknowledge' | 'close'
  /**
   * What happens to a QoS 1 or 2 PUBLISH of a 3.1 or 3.1.1 client that an overflow rule refuses, since it cannot be told:
   * `close` the connection, so that the client keeps the message and sends it again, or `acknowledge` it and drop the
   * message ([3.1.1 MQTT-3.3.5-2]). Default: close.
   */
  readonly refusedPublishMqtt3: 'acknowledge' | 'close'
  /** How often the topics under `$SYS/` may tell of what has changed, in seconds; 0: there are none. Default: 10. */
  readonly sysIntervalSeconds: number
}

/** What `sysIntervalSeconds` may be: a day at most. */
export const SYS_INTERVAL_SECONDS_MAX = 86_400

export const DEFAULT_BEHAVIOUR: Behaviour = {
  shareStrategy: 'round-robin',
  responseInformation: undefined,
  unauthorizedPublishMqtt3: 'acknowledge',
  refusedPublishMqtt3: 'close',
  sysIntervalSeconds: 10
}

/** @throws RangeError that names the option, what was given and what is accepted */
export function checkBehaviour(behaviour: Behaviour): Behaviour {
  if (!Object.hasOwn(SHARE_STRATEGIES, behaviour.shareStrategy)) {
    const accepted = Object.keys(SHARE_STRATEGIES).join(', ')
    throw new RangeError(`shareStrategy is ${behaviour.shareStrategy}; accepted are ${accepted}`)
  }
  const { sysIntervalSeconds } = behaviour
  if (!Number.isInteger(sysIntervalSeconds) || sysIntervalSeconds < 0 || sysIntervalSeconds > SYS_INTERVAL_SECONDS_MAX) {
    const accepted = `a whole number from 0 to ${SYS_INTERVAL_SECONDS_MAX}`
    throw new RangeError(`sysIntervalSeconds is ${sysIntervalSeconds}; accepted is ${accepted}`)
  }
  return behaviour
}
