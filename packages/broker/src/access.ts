import type { ConnectProperties, ErrorReasonCode, ProtocolVersion, QoS, UserProperty, Will } from '@godwit/protocol'
import type { MaybePromise } from '@godwit/storage'
import type { TransportKind, TransportPeer } from '@godwit/transport'

/** What a client said of itself in CONNECT, and where it comes from. */
export interface ConnectRequest {
  /** As it will be used: an empty one has been replaced by an assigned one. */
  readonly clientId: string
  readonly userName: string | undefined
  readonly password: Uint8Array | undefined
  readonly protocolVersion: ProtocolVersion
  readonly cleanStart: boolean
  readonly keepAliveSeconds: number
  readonly will: Will | undefined
  readonly properties: ConnectProperties
  readonly transport: TransportKind
  readonly peer: TransportPeer
}

/** The broker's knowledge of a client, once accepted. */
export interface ClientIdentity {
  readonly clientId: string
  /** As authenticated; undefined: anonymous. */
  readonly userName: string | undefined
  readonly protocolVersion: ProtocolVersion
  readonly transport: TransportKind
  readonly peer: TransportPeer
}

export interface Accepted {
  readonly accepted: true
  /** Stands in for the user name that CONNECT gave: that of a token or a certificate. */
  readonly userName?: string | undefined
  /** Properties for the CONNACK. */
  readonly userProperties?: readonly UserProperty[] | undefined
}

export interface Refused {
  readonly accepted: false
  /** Default: Not authorized, 0x87. On 3.1 and 3.1.1 it becomes the nearest return code. */
  readonly reasonCode?: ErrorReasonCode | undefined
  /** For people; sent to 5.0 clients, so no place for secrets. */
  readonly reasonString?: string | undefined
  /** Where to go instead, with Use another server (0x9C) or Server moved (0x9D). */
  readonly serverReference?: string | undefined
}

/** Something a client wants to do with a topic. */
export type AccessRequest =
  | { readonly action: 'publish'; readonly topicName: string; readonly qos: QoS; readonly retain: boolean }
  | {
      readonly action: 'subscribe'
      /** Without `$share/NAME/` and `$replay/START/`. */
      readonly topicFilter: string
      readonly qos: QoS
      readonly shareName: string | undefined
      /** The client asks for the history of these topics as well. */
      readonly replay?: true
    }

/** One step of an enhanced authentication exchange ([5.0 4.12]). */
export type AuthenticationStep =
  | { readonly status: 'continue'; readonly data?: Uint8Array | undefined }
  | (Accepted & { readonly status: 'done'; readonly data?: Uint8Array | undefined })
  | (Refused & { readonly status: 'done' })

/** The broker's side of one exchange: given the client's data, the next step; the first data is that of CONNECT or AUTH. */
export interface EnhancedAuthentication {
  next(data: Uint8Array | undefined): MaybePromise<AuthenticationStep>
}

/**
 * Who may connect, and what clients may do. A hook may answer at once or later; meanwhile that connection's packets
 * wait, in order, and no other's. A hook that throws refuses.
 */
export interface Access {
  /** Absent: everybody may connect. Not asked where an Authentication Method is used. */
  authenticate?(request: ConnectRequest): MaybePromise<Accepted | Refused>
  /**
   * Begins an exchange for an Authentication Method, at CONNECT or to re-authenticate: then without the password, the will
   * and the Authentication Data of CONNECT, which are let go of.
   * Undefined, or absent: the method is not known, and refused with 0x8C ([5.0 MQTT-4.12.0-1]).
   */
  enhancedAuthentication?(method: string, request: ConnectRequest): EnhancedAuthentication | undefined
  /** Asked for each PUBLISH, each filter of a SUBSCRIBE, and a will at CONNECT. Absent: everything is allowed. */
  authorize?(client: ClientIdentity, request: AccessRequest): MaybePromise<boolean>
}
