import type { AnyProperties } from './decode-properties.ts'
import { NO_PROPERTIES } from './properties.ts'
import { Property, ruleOfName, type PropertyRule, type PropertyScope } from './property-table.ts'
import { checkInteger, type Writer } from './writer.ts'

/**
 * Writes a Property Length and the properties in the order in which they stand in the object, except that the Message
 * Expiry Interval comes first: `encoded-publish.ts` patches it for each receiver and so knows where it is.
 *
 * @throws {RangeError} for properties that do not belong in `scope` and values that the specification excludes
 */
export function encodeProperties(writer: Writer, scope: PropertyScope, properties: AnyProperties): void {
  if (properties === NO_PROPERTIES) {
    writer.byte(0)
    return
  }
  const start = writer.beginPart()
  fourByteInteger(writer, Property.MessageExpiryInterval, properties.messageExpiryInterval, 'messageExpiryInterval')
  for (const name in properties) {
    const rule = ruleOfName(scope, name)
    if (rule !== undefined) encodeProperty(writer, rule, name, properties)
    else if (Reflect.get(properties, name) !== undefined) throw new RangeError(`${name} is not a property of this packet`)
  }
  writer.endPart(start)
}

/**
 * Writes a Reason Code and properties in the shortest form of [5.0 3.4.2.1], [5.0 3.14.2.1] and [5.0 3.15.2.1]: without
 * properties no Property Length, and then no Reason Code either if it is 0x00.
 */
export function encodeReason(writer: Writer, scope: PropertyScope, reasonCode: number, properties: AnyProperties): void {
  const start = writer.length
  writer.byte(reasonCode)
  encodeProperties(writer, scope, properties)
  const withoutProperties = start + 1
  if (writer.length > withoutProperties + 1) return
  writer.truncate(reasonCode === 0x00 ? start : withoutProperties)
}

function encodeProperty(writer: Writer, { identifier }: PropertyRule, name: string, properties: AnyProperties): void {
  switch (identifier) {
    case Property.PayloadFormatIndicator:
      byte(writer, identifier, properties.payloadFormatIndicator, name)
      return
    case Property.MessageExpiryInterval:
      // Written already.
      return
    case Property.ContentType:
      utf8String(writer, identifier, properties.contentType, name)
      return
    case Property.ResponseTopic:
      utf8String(writer, identifier, properties.responseTopic, name)
      return
    case Property.CorrelationData:
      binaryData(writer, identifier, properties.correlationData, name)
      return
    case Property.SubscriptionIdentifier:
      subscriptionIdentifier(writer, properties.subscriptionIdentifier)
      for (const each of properties.subscriptionIdentifiers ?? []) subscriptionIdentifier(writer, each)
      return
    case Property.SessionExpiryInterval:
      fourByteInteger(writer, identifier, properties.sessionExpiryInterval, name)
      return
    case Property.AssignedClientIdentifier:
      utf8String(writer, identifier, properties.assignedClientIdentifier, name)
      return
    case Property.ServerKeepAlive:
      twoByteInteger(writer, identifier, properties.serverKeepAlive, name)
      return
    case Property.AuthenticationMethod:
      utf8String(writer, identifier, properties.authenticationMethod, name)
      return
    case Property.AuthenticationData:
      binaryData(writer, identifier, properties.authenticationData, name)
      return
    case Property.RequestProblemInformation:
      flag(writer, identifier, properties.requestProblemInformation)
      return
    case Property.WillDelayInterval:
      fourByteInteger(writer, identifier, properties.willDelayInterval, name)
      return
    case Property.RequestResponseInformation:
      flag(writer, identifier, properties.requestResponseInformation)
      return
    case Property.ResponseInformation:
      utf8String(writer, identifier, properties.responseInformation, name)
      return
    case Property.ServerReference:
      utf8String(writer, identifier, properties.serverReference, name)
      return
    case Property.ReasonString:
      utf8String(writer, identifier, properties.reasonString, name)
      return
    case Property.ReceiveMaximum:
      twoByteInteger(writer, identifier, properties.receiveMaximum, name, 1)
      return
    case Property.TopicAliasMaximum:
      twoByteInteger(writer, identifier, properties.topicAliasMaximum, name)
      return
    case Property.TopicAlias:
      twoByteInteger(writer, identifier, properties.topicAlias, name, 1)
      return
    case Property.MaximumQoS:
      byte(writer, identifier, properties.maximumQoS, name)
      return
    case Property.RetainAvailable:
      flag(writer, identifier, properties.retainAvailable)
      return
    case Property.UserProperty:
      for (const [key, value] of properties.userProperties ?? []) {
        writer.byte(identifier)
        writer.utf8String(key, 'A user property name')
        writer.utf8String(value, 'A user property value')
      }
      return
    case Property.MaximumPacketSize:
      fourByteInteger(writer, identifier, properties.maximumPacketSize, name, 1)
      return
    case Property.WildcardSubscriptionAvailable:
      flag(writer, identifier, properties.wildcardSubscriptionAvailable)
      return
    case Property.SubscriptionIdentifiersAvailable:
      flag(writer, identifier, properties.subscriptionIdentifiersAvailable)
      return
    case Property.SharedSubscriptionAvailable:
      flag(writer, identifier, properties.sharedSubscriptionAvailable)
  }
}

// Property Identifiers are Variable Byte Integers; all there are fit into one byte.

function byte(writer: Writer, identifier: Property, value: 0 | 1 | undefined, name: string): void {
  if (value === undefined) return
  checkInteger(value, 0, 1, name)
  writer.byte(identifier)
  writer.byte(value)
}

function flag(writer: Writer, identifier: Property, value: boolean | undefined): void {
  if (value === undefined) return
  writer.byte(identifier)
  writer.byte(value ? 1 : 0)
}

function twoByteInteger(writer: Writer, identifier: Property, value: number | undefined, name: string, minimum = 0): void {
  if (value === undefined) return
  checkInteger(value, minimum, 0xffff, name)
  writer.byte(identifier)
  writer.twoByteInteger(value, name)
}

function fourByteInteger(writer: Writer, identifier: Property, value: number | undefined, name: string, minimum = 0): void {
  if (value === undefined) return
  checkInteger(value, minimum, 0xffff_ffff, name)
  writer.byte(identifier)
  writer.fourByteInteger(value, name)
}

function subscriptionIdentifier(writer: Writer, value: number | undefined): void {
  if (value === undefined) return
  if (value === 0) throw new RangeError('A Subscription Identifier must not be 0')
  writer.byte(Property.SubscriptionIdentifier)
  writer.variableByteInteger(value, 'A Subscription Identifier')
}

function utf8String(writer: Writer, identifier: Property, text: string | undefined, name: string): void {
  if (text === undefined) return
  writer.byte(identifier)
  writer.utf8String(text, name)
}

function binaryData(writer: Writer, identifier: Property, bytes: Uint8Array | undefined, name: string): void {
  if (bytes === undefined) return
  writer.byte(identifier)
  writer.binaryData(bytes, name)
}
