import { MqttError } from './mqtt-error.ts'
import { PacketType } from './packet-type.ts'
import {
  NO_PROPERTIES,
  type AuthProperties,
  type ConnackProperties,
  type ConnectProperties,
  type DisconnectProperties,
  type PublishProperties,
  type SubscribeProperties,
  type UserProperty,
  type WillProperties
} from './properties.ts'
import { Property, ruleOfIdentifier, type PropertyRule, type PropertyScope } from './property-table.ts'
import type { Reader } from './reader.ts'
import { ReasonCode } from './reason-codes.ts'
import { validateTopicName } from './topics.ts'
import { malformed, protocolError } from './violations.ts'

/** Every property there is; each packet's own properties are a part of it. */
export type AnyProperties = ConnectProperties &
  ConnackProperties &
  PublishProperties &
  WillProperties &
  SubscribeProperties &
  DisconnectProperties &
  AuthProperties

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

interface PropertiesUnderConstruction extends Mutable<Omit<AnyProperties, 'userProperties' | 'subscriptionIdentifiers'>> {
  userProperties?: UserProperty[]
  subscriptionIdentifiers?: number[]
}

/**
 * Reads a Property Length and its properties ([5.0 2.2.2]). Only properties that may stand in `scope` are let through,
 * and each only once unless the specification lets it repeat.
 *
 * @throws {MqttError} Malformed Packet for what does not parse or does not belong ([5.0 2.2.2.2]), Protocol Error for
 *   repetitions and values that the specification excludes
 */
export function decodeProperties(reader: Reader, scope: PropertyScope): AnyProperties {
  const length = reader.variableByteInteger()
  if (length === 0) return NO_PROPERTIES
  const properties: PropertiesUnderConstruction = {}
  const outerEnd = reader.enter(length)
  let seen = 0
  while (reader.remaining > 0) {
    const identifier = reader.variableByteInteger()
    const rule = ruleOfIdentifier(scope, identifier)
    if (rule === undefined) throw malformed(`Property 0x${identifier.toString(16).padStart(2, '0')} does not belong here`)
    if ((seen & rule.bit) !== 0 && !rule.repeats) throw protocolError(`${rule.title} is included more than once`)
    seen |= rule.bit
    decodeProperty(reader, scope, rule, properties)
  }
  reader.leave(outerEnd)
  // [5.0 3.1.2.11.10], [5.0 3.15.2.2.2]
  if (properties.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    throw protocolError('Authentication Data without an Authentication Method')
  }
  return properties
}

function decodeProperty(
  reader: Reader,
  scope: PropertyScope,
  { identifier, title }: PropertyRule,
  properties: PropertiesUnderConstruction
): void {
  switch (identifier) {
    case Property.PayloadFormatIndicator:
      properties.payloadFormatIndicator = zeroOrOne(reader.byte(), title)
      return
    case Property.MessageExpiryInterval:
      properties.messageExpiryInterval = reader.fourByteInteger()
      return
    case Property.ContentType:
      properties.contentType = reader.utf8String()
      return
    case Property.ResponseTopic:
      properties.responseTopic = responseTopic(reader.utf8String())
      return
    case Property.CorrelationData:
      properties.correlationData = reader.binaryData()
      return
    case Property.SubscriptionIdentifier: {
      const subscriptionIdentifier = notZero(reader.variableByteInteger(), title)
      if (scope === PacketType.Subscribe) properties.subscriptionIdentifier = subscriptionIdentifier
      else (properties.subscriptionIdentifiers ??= []).push(subscriptionIdentifier)
      return
    }
    case Property.SessionExpiryInterval:
      properties.sessionExpiryInterval = reader.fourByteInteger()
      return
    case Property.AssignedClientIdentifier:
      properties.assignedClientIdentifier = reader.utf8String()
      return
    case Property.ServerKeepAlive:
      properties.serverKeepAlive = reader.twoByteInteger()
      return
    case Property.AuthenticationMethod:
      properties.authenticationMethod = reader.utf8String()
      return
    case Property.AuthenticationData:
      properties.authenticationData = reader.binaryData()
      return
    case Property.RequestProblemInformation:
      properties.requestProblemInformation = zeroOrOne(reader.byte(), title) === 1
      return
    case Property.WillDelayInterval:
      properties.willDelayInterval = reader.fourByteInteger()
      return
    case Property.RequestResponseInformation:
      properties.requestResponseInformation = zeroOrOne(reader.byte(), title) === 1
      return
    case Property.ResponseInformation:
      properties.responseInformation = reader.utf8String()
      return
    case Property.ServerReference:
      properties.serverReference = reader.utf8String()
      return
    case Property.ReasonString:
      properties.reasonString = reader.utf8String()
      return
    case Property.ReceiveMaximum:
      properties.receiveMaximum = notZero(reader.twoByteInteger(), title)
      return
    case Property.TopicAliasMaximum:
      properties.topicAliasMaximum = reader.twoByteInteger()
      return
    case Property.TopicAlias:
      properties.topicAlias = topicAlias(reader.twoByteInteger())
      return
    case Property.MaximumQoS:
      properties.maximumQoS = zeroOrOne(reader.byte(), title)
      return
    case Property.RetainAvailable:
      properties.retainAvailable = zeroOrOne(reader.byte(), title) === 1
      return
    case Property.UserProperty:
      ;(properties.userProperties ??= []).push([reader.utf8String(), reader.utf8String()])
      return
    case Property.MaximumPacketSize:
      properties.maximumPacketSize = notZero(reader.fourByteInteger(), title)
      return
    case Property.WildcardSubscriptionAvailable:
      properties.wildcardSubscriptionAvailable = zeroOrOne(reader.byte(), title) === 1
      return
    case Property.SubscriptionIdentifiersAvailable:
      properties.subscriptionIdentifiersAvailable = zeroOrOne(reader.byte(), title) === 1
      return
    case Property.SharedSubscriptionAvailable:
      properties.sharedSubscriptionAvailable = zeroOrOne(reader.byte(), title) === 1
  }
}

function zeroOrOne(value: number, title: string): 0 | 1 {
  if (value === 0 || value === 1) return value
  throw protocolError(`${title} is ${value}, neither 0 nor 1`)
}

function notZero(value: number, title: string): number {
  if (value === 0) throw protocolError(`${title} is 0`)
  return value
}

function topicAlias(value: number): number {
  // [5.0 MQTT-3.3.2-8]
  if (value === 0) throw new MqttError(ReasonCode.TopicAliasInvalid, 'Topic Alias is 0')
  return value
}

function responseTopic(topicName: string): string {
  // [5.0 MQTT-3.3.2-14]
  const reason = validateTopicName(topicName)
  if (reason !== undefined) throw protocolError(`Response Topic is not a Topic Name: ${reason}`)
  return topicName
}
