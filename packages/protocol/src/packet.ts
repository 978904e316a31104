import type { AuthPacket } from './packets/auth.ts'
import type { ConnackPacket } from './packets/connack.ts'
import type { ConnectPacket } from './packets/connect.ts'
import type { DisconnectPacket } from './packets/disconnect.ts'
import type { PingreqPacket, PingrespPacket } from './packets/ping.ts'
import type { PubackPacket, PubcompPacket, PubrecPacket, PubrelPacket } from './packets/publish-acknowledgements.ts'
import type { PublishPacket } from './packets/publish.ts'
import type { SubackPacket } from './packets/suback.ts'
import type { SubscribePacket } from './packets/subscribe.ts'
import type { UnsubackPacket } from './packets/unsuback.ts'
import type { UnsubscribePacket } from './packets/unsubscribe.ts'

/** Any MQTT Control Packet; `type` tells which. */
export type Packet =
  | ConnectPacket
  | ConnackPacket
  | PublishPacket
  | PubackPacket
  | PubrecPacket
  | PubrelPacket
  | PubcompPacket
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | UnsubackPacket
  | PingreqPacket
  | PingrespPacket
  | DisconnectPacket
  | AuthPacket
