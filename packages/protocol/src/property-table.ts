import { PacketType } from './packet-type.ts'

/** Property Identifiers ([5.0 2.2.2.2]). */
export const Property = {
  PayloadFormatIndicator: 0x01,
  MessageExpiryInterval: 0x02,
  ContentType: 0x03,
  ResponseTopic: 0x08,
  CorrelationData: 0x09,
  SubscriptionIdentifier: 0x0b,
  SessionExpiryInterval: 0x11,
  AssignedClientIdentifier: 0x12,
  ServerKeepAlive: 0x13,
  AuthenticationMethod: 0x15,
  AuthenticationData: 0x16,
  RequestProblemInformation: 0x17,
  WillDelayInterval: 0x18,
  RequestResponseInformation: 0x19,
  ResponseInformation: 0x1a,
  ServerReference: 0x1c,
  ReasonString: 0x1f,
  ReceiveMaximum: 0x21,
  TopicAliasMaximum: 0x22,
  TopicAlias: 0x23,
  MaximumQoS: 0x24,
  RetainAvailable: 0x25,
  UserProperty: 0x26,
  MaximumPacketSize: 0x27,
  WildcardSubscriptionAvailable: 0x28,
  SubscriptionIdentifiersAvailable: 0x29,
  SharedSubscriptionAvailable: 0x2a
} as const

export type Property = (typeof Property)[keyof typeof Property]

/** Where properties stand: in a packet of that type, or among the Will Properties of a CONNECT. */
export const WILL = 0
export type PropertyScope = PacketType | typeof WILL

/** What the specification says of a property in one scope, apart from its value. */
export interface PropertyRule {
  readonly identifier: Property
  /** As the specification writes it. */
  readonly title: string
  /** Whether it may stand there more than once. */
  readonly repeats: boolean
  /** The property's bit in a set of those already seen. */
  readonly bit: number
}

const { Connect, Connack, Publish, Puback, Pubrec, Pubrel, Pubcomp, Subscribe, Suback } = PacketType
const { Unsubscribe, Unsuback, Disconnect, Auth } = PacketType
const ACKNOWLEDGEMENTS: readonly PropertyScope[] = [Connack, Puback, Pubrec, Pubrel, Pubcomp, Suback, Unsuback, Disconnect, Auth]
const EVERYWHERE: readonly PropertyScope[] = [WILL, Connect, Publish, Subscribe, Unsubscribe, ...ACKNOWLEDGEMENTS]

type Row = readonly [
  identifier: Property,
  name: string,
  title: string,
  scopes: readonly PropertyScope[],
  repeatsIn?: readonly PropertyScope[]
]

const ROWS: readonly Row[] = [
  [Property.PayloadFormatIndicator, 'payloadFormatIndicator', 'Payload Format Indicator', [Publish, WILL]],
  [Property.MessageExpiryInterval, 'messageExpiryInterval', 'Message Expiry Interval', [Publish, WILL]],
  [Property.ContentType, 'contentType', 'Content Type', [Publish, WILL]],
  [Property.ResponseTopic, 'responseTopic', 'Response Topic', [Publish, WILL]],
  [Property.CorrelationData, 'correlationData', 'Correlation Data', [Publish, WILL]],
  [Property.SubscriptionIdentifier, 'subscriptionIdentifier', 'Subscription Identifier', [Subscribe]],
  [Property.SubscriptionIdentifier, 'subscriptionIdentifiers', 'Subscription Identifier', [Publish], [Publish]],
  [Property.SessionExpiryInterval, 'sessionExpiryInterval', 'Session Expiry Interval', [Connect, Connack, Disconnect]],
  [Property.AssignedClientIdentifier, 'assignedClientIdentifier', 'Assigned Client Identifier', [Connack]],
  [Property.ServerKeepAlive, 'serverKeepAlive', 'Server Keep Alive', [Connack]],
  [Property.AuthenticationMethod, 'authenticationMethod', 'Authentication Method', [Connect, Connack, Auth]],
  [Property.AuthenticationData, 'authenticationData', 'Authentication Data', [Connect, Connack, Auth]],
  [Property.RequestProblemInformation, 'requestProblemInformation', 'Request Problem Information', [Connect]],
  [Property.WillDelayInterval, 'willDelayInterval', 'Will Delay Interval', [WILL]],
  [Property.RequestResponseInformation, 'requestResponseInformation', 'Request Response Information', [Connect]],
  [Property.ResponseInformation, 'responseInformation', 'Response Information', [Connack]],
  [Property.ServerReference, 'serverReference', 'Server Reference', [Connack, Disconnect]],
  [Property.ReasonString, 'reasonString', 'Reason String', ACKNOWLEDGEMENTS],
  [Property.ReceiveMaximum, 'receiveMaximum', 'Receive Maximum', [Connect, Connack]],
  [Property.TopicAliasMaximum, 'topicAliasMaximum', 'Topic Alias Maximum', [Connect, Connack]],
  [Property.TopicAlias, 'topicAlias', 'Topic Alias', [Publish]],
  [Property.MaximumQoS, 'maximumQoS', 'Maximum QoS', [Connack]],
  [Property.RetainAvailable, 'retainAvailable', 'Retain Available', [Connack]],
  [Property.UserProperty, 'userProperties', 'User Property', EVERYWHERE, EVERYWHERE],
  [Property.MaximumPacketSize, 'maximumPacketSize', 'Maximum Packet Size', [Connect, Connack]],
  [Property.WildcardSubscriptionAvailable, 'wildcardSubscriptionAvailable', 'Wildcard Subscription Available', [Connack]],
  [
    Property.SubscriptionIdentifiersAvailable,
    'subscriptionIdentifiersAvailable',
    'Subscription Identifiers Available',
    [Connack]
  ],
  [Property.SharedSubscriptionAvailable, 'sharedSubscriptionAvailable', 'Shared Subscription Available', [Connack]]
]

const RULES_BY_IDENTIFIER: (PropertyRule | undefined)[][] = Array.from({ length: 16 }, () => [])
const RULES_BY_NAME: Map<string, PropertyRule>[] = Array.from({ length: 16 }, () => new Map<string, PropertyRule>())
for (const [index, [identifier, name, title, scopes, repeatsIn = []]] of ROWS.entries()) {
  for (const scope of scopes) {
    const rule: PropertyRule = { identifier, title, repeats: repeatsIn.includes(scope), bit: 1 << index }
    const byIdentifier = RULES_BY_IDENTIFIER[scope]
    if (byIdentifier !== undefined) byIdentifier[identifier] = rule
    RULES_BY_NAME[scope]?.set(name, rule)
  }
}

/** The rule of a property on the wire; undefined if it may not stand in `scope`. */
export function ruleOfIdentifier(scope: PropertyScope, identifier: number): PropertyRule | undefined {
  return RULES_BY_IDENTIFIER[scope]?.[identifier]
}

/** The rule of a property by its name in our types; undefined if it may not stand in `scope`. */
export function ruleOfName(scope: PropertyScope, name: string): PropertyRule | undefined {
  return RULES_BY_NAME[scope]?.get(name)
}
