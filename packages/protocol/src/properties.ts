/** A name and a value; names may repeat, and the order is kept ([5.0 MQTT-3.3.2-18]). */
export type UserProperty = readonly [name: string, value: string]

/** Properties that any acknowledgement may carry. Absent properties are left out or undefined. */
export interface AcknowledgementProperties {
  readonly reasonString?: string | undefined
  readonly userProperties?: readonly UserProperty[] | undefined
}

export interface ConnectProperties {
  /** Seconds; 0 or absent: the session ends with the network connection; 0xFFFFFFFF: it does not expire. */
  readonly sessionExpiryInterval?: number | undefined
  /** 1 to 65,535; absent means 65,535. */
  readonly receiveMaximum?: number | undefined
  /** Bytes, from 1; absent means no limit beyond the protocol's. */
  readonly maximumPacketSize?: number | undefined
  /** 0 to 65,535; absent means 0: no Topic Aliases. */
  readonly topicAliasMaximum?: number | undefined
  /** Absent means false. */
  readonly requestResponseInformation?: boolean | undefined
  /** Absent means true. */
  readonly requestProblemInformation?: boolean | undefined
  readonly userProperties?: readonly UserProperty[] | undefined
  readonly authenticationMethod?: string | undefined
  readonly authenticationData?: Uint8Array | undefined
}

export interface ConnackProperties extends AcknowledgementProperties {
  readonly sessionExpiryInterval?: number | undefined
  readonly receiveMaximum?: number | undefined
  /** Absent means QoS 2. */
  readonly maximumQoS?: 0 | 1 | undefined
  /** Absent means true. */
  readonly retainAvailable?: boolean | undefined
  readonly maximumPacketSize?: number | undefined
  readonly assignedClientIdentifier?: string | undefined
  readonly topicAliasMaximum?: number | undefined
  /** Absent means true. */
  readonly wildcardSubscriptionAvailable?: boolean | undefined
  /** Absent means true. */
  readonly subscriptionIdentifiersAvailable?: boolean | undefined
  /** Absent means true. */
  readonly sharedSubscriptionAvailable?: boolean | undefined
  /** Seconds. */
  readonly serverKeepAlive?: number | undefined
  readonly responseInformation?: string | undefined
  readonly serverReference?: string | undefined
  readonly authenticationMethod?: string | undefined
  readonly authenticationData?: Uint8Array | undefined
}

/** The properties that travel with an Application Message from publisher to subscriber, be it a PUBLISH or a will. */
export interface MessageProperties {
  /** 1: the payload is UTF-8 text; 0 or absent: bytes. */
  readonly payloadFormatIndicator?: 0 | 1 | undefined
  /** Seconds. */
  readonly messageExpiryInterval?: number | undefined
  readonly contentType?: string | undefined
  readonly responseTopic?: string | undefined
  readonly correlationData?: Uint8Array | undefined
  readonly userProperties?: readonly UserProperty[] | undefined
}

export interface PublishProperties extends MessageProperties {
  /** 1 to 65,535 ([5.0 MQTT-3.3.2-8]). */
  readonly topicAlias?: number | undefined
  /** Each 1 to 268,435,455; only from server to client ([5.0 MQTT-3.3.4-6]). */
  readonly subscriptionIdentifiers?: readonly number[] | undefined
}

export interface WillProperties extends MessageProperties {
  /** Seconds; absent means 0. */
  readonly willDelayInterval?: number | undefined
}

export interface SubscribeProperties {
  /** 1 to 268,435,455. */
  readonly subscriptionIdentifier?: number | undefined
  readonly userProperties?: readonly UserProperty[] | undefined
}

export interface UnsubscribeProperties {
  readonly userProperties?: readonly UserProperty[] | undefined
}

export interface DisconnectProperties extends AcknowledgementProperties {
  /** Seconds; only from client to server ([5.0 MQTT-3.14.2-2]). */
  readonly sessionExpiryInterval?: number | undefined
  readonly serverReference?: string | undefined
}

export interface AuthProperties extends AcknowledgementProperties {
  readonly authenticationMethod?: string | undefined
  readonly authenticationData?: Uint8Array | undefined
}

/** What every packet without properties shares: all of 3.1 and 3.1.1, and most of 5.0. */
export const NO_PROPERTIES: Readonly<Record<never, never>> = Object.freeze({})
