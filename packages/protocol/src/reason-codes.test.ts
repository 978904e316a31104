import { expect, it } from 'vitest'
import { MqttError } from './mqtt-error.ts'
import { PacketType, packetTypeName } from './packet-type.ts'
import { reasonCodeName } from './reason-code-names.ts'
import { ConnectReturnCode, ReasonCode } from './reason-codes.ts'
import { toConnectReturnCode, toSubscribeReturnCode } from './return-codes.ts'

it('each Reason Code has a name of its own', () => {
  const codes = new Set<number>(Object.values(ReasonCode))
  const names = new Set([...codes].map((code) => reasonCodeName(code)))
  expect(names.size).toBe(codes.size)
  for (const name of names) expect(name).not.toMatch(/^Reason Code/)
})

it.each([
  [0x00, undefined, 'Success'],
  [0x00, PacketType.Puback, 'Success'],
  [0x00, PacketType.Disconnect, 'Normal disconnection'],
  [0x00, PacketType.Suback, 'Granted QoS 0'],
  [0x87, PacketType.Suback, 'Not authorized'],
  [0x95, undefined, 'Packet too large'],
  [0x03, undefined, 'Reason Code 0x03'],
  [0xff, undefined, 'Reason Code 0xff']
])('Reason Code %i of packet type %s is called %s', (reasonCode, packetType, name) => {
  expect(reasonCodeName(reasonCode, packetType)).toBe(name)
})

it.each([
  [ReasonCode.Success, ConnectReturnCode.Accepted],
  [ReasonCode.UnsupportedProtocolVersion, ConnectReturnCode.UnacceptableProtocolVersion],
  [ReasonCode.ClientIdentifierNotValid, ConnectReturnCode.IdentifierRejected],
  [ReasonCode.ServerUnavailable, ConnectReturnCode.ServerUnavailable],
  [ReasonCode.ServerBusy, ConnectReturnCode.ServerUnavailable],
  [ReasonCode.BadUserNameOrPassword, ConnectReturnCode.BadUserNameOrPassword],
  [ReasonCode.NotAuthorized, ConnectReturnCode.NotAuthorized],
  [ReasonCode.Banned, ConnectReturnCode.NotAuthorized],
  // [3.1.1 MQTT-3.2.2-6], [3.1.1 MQTT-3.1.4-1]: just close.
  [ReasonCode.MalformedPacket, undefined],
  [ReasonCode.ProtocolError, undefined],
  [ReasonCode.PacketTooLarge, undefined],
  [ReasonCode.TopicNameInvalid, undefined]
])('Reason Code %i becomes the Connect Return code %s', (reasonCode, returnCode) => {
  expect(toConnectReturnCode(reasonCode)).toBe(returnCode)
})

it.each([
  [ReasonCode.GrantedQoS0, 0x00],
  [ReasonCode.GrantedQoS2, 0x02],
  [ReasonCode.NotAuthorized, 0x80],
  [ReasonCode.TopicFilterInvalid, 0x80]
])('[3.1.1 MQTT-3.9.3-2] Subscribe Reason Code %i becomes %i', (reasonCode, returnCode) => {
  expect(toSubscribeReturnCode(reasonCode)).toBe(returnCode)
})

it('each packet type has its name', () => {
  expect(Object.values(PacketType).map((type) => packetTypeName(type).toLowerCase())).toEqual(
    Object.keys(PacketType).map((name) => name.toLowerCase())
  )
})

it('an MqttError is an Error with a reason and a cause', () => {
  const cause = new TypeError('inner')
  const error = new MqttError(ReasonCode.QuotaExceeded, 'too much', { cause })
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ name: 'MqttError', reasonCode: 0x97, message: 'too much', cause })
})
