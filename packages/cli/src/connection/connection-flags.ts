import type { FlagGroup } from '../flags.ts'

/** What a profile keeps, beside what only a command line may say. */
const SERVER_FLAGS: FlagGroup = {
  title: 'Server',
  flags: [
    { flag: '-h, --host <host>', description: 'Name or address of the server (default: localhost)' },
    { flag: '-p, --port <port>', description: 'Its port (default: 1883, over TLS 8883; 8883 implies TLS)' },
    {
      flag: '-L, --url <url>',
      description:
        'The server as a URL: mqtt, mqtts, ws, wss or unix, with user name and password if need be; after the host of an mqtt URL ' +
        'comes a topic. Several are tried in turn',
      repeats: true
    },
    { flag: '--unix <path>', description: 'Connect to a Unix socket' }
  ]
}

const IDENTITY_FLAGS: FlagGroup = {
  title: 'Who connects',
  flags: [
    { flag: '-u, --username <name>', description: 'User name' },
    {
      flag: '-P, --pw <password>',
      description: 'Password, for all on this machine to see while the command runs; better are the next two, or GODWIT_PASSWORD'
    },
    { flag: '--password-file <file>', description: 'Read the password from the first line of a file' },
    {
      flag: '--scram',
      description: 'Prove the password without sending it, and have the server prove itself: SCRAM-SHA-256 (5.0)'
    },
    { flag: '-i, --id <id>', description: 'Client Identifier (default: one that is made up)' },
    { flag: '-I, --id-prefix <prefix>', description: 'Make the Client Identifier of this and the number of the process' }
  ]
}

const PROTOCOL_FLAGS: FlagGroup = {
  title: 'Protocol and session',
  flags: [
    {
      flag: '-V, --protocol-version <version>',
      description: 'mqttv5, mqttv311 or mqttv31; also 5, 3.1.1, 3.1 (default: 5.0, and what is older if the server refuses that)'
    },
    { flag: '-k, --keepalive <seconds>', description: 'Keep Alive; 0: none (default: 60)' },
    {
      flag: '-c, --disable-clean-session',
      description: 'Go on with the session of this Client Identifier, and leave it for the next time: needs --id'
    },
    {
      flag: '-x, --session-expiry-interval <seconds>',
      description: 'How long the server keeps the session; -1: for ever (5.0; default: with -c for ever, else not beyond the end)'
    }
  ]
}

const TLS_FLAGS: FlagGroup = {
  title: 'TLS',
  flags: [
    { flag: '--cafile <file>', description: 'Trust the authorities in a PEM file, instead of the usual ones' },
    { flag: '--capath <dir>', description: 'Trust the authorities in the .crt and .pem files of a folder' },
    { flag: '--tls-use-os-certs', description: 'Trust the authorities that the operating system trusts' },
    { flag: '--cert <file>', description: 'Certificate of this client, PEM' },
    { flag: '--key <file>', description: 'Its private key, PEM' },
    { flag: '--insecure', description: 'Accept a certificate for another host name: for tests' },
    { flag: '--tls-alpn <protocol>', description: 'Ask for a protocol by ALPN, where one port serves several' },
    { flag: '--tls-version <tls-version>', description: 'The oldest version to accept: tlsv1.2 or tlsv1.3 (default: tlsv1.2)' },
    { flag: '--ciphers <ciphers>', description: 'Cipher suites, as OpenSSL lists them' }
  ]
}

export const WILL_FLAGS: FlagGroup = {
  title: 'Will Message, published by the server if this client is gone without a word',
  flags: [
    { flag: '--will-topic <topic>', description: 'Its topic; the other three need it' },
    { flag: '--will-payload <text>', description: 'Its payload (default: empty)' },
    { flag: '--will-qos <qos>', description: '0, 1 or 2 (default: 0)' },
    { flag: '--will-retain', description: 'Have the server keep it' }
  ]
}

const PROFILE_FLAGS: FlagGroup = {
  title: 'Profile',
  flags: [
    {
      flag: '--profile <profile>',
      description: 'Take from a profile what is not said here: see godwit profile (default: GODWIT_PROFILE, if that is set)'
    },
    { flag: '--ask-password', description: 'Ask for the password on the terminal, without showing it' }
  ]
}

/** What a verb says on standard error. */
export const TELL_GROUP: FlagGroup = {
  title: 'What it tells',
  flags: [
    { flag: '-d, --debug', description: 'Tell of the connection, too' },
    { flag: '--quiet', description: 'Tell of no error but a flag that is wrong; the exit code does' }
  ]
}

/** What can be kept in a profile. */
export const PROFILE_GROUPS: readonly FlagGroup[] = [SERVER_FLAGS, IDENTITY_FLAGS, PROTOCOL_FLAGS, TLS_FLAGS, WILL_FLAGS]

/** What `pub`, `sub` and `request` have in common: how to connect. */
export const CONNECTION_GROUPS: readonly FlagGroup[] = [...PROFILE_GROUPS, PROFILE_FLAGS]

/** The flags of `PROFILE_GROUPS`, as commander gives them. */
export interface ProfileFlags {
  readonly host?: string | undefined
  readonly port?: string | undefined
  readonly url?: readonly string[] | undefined
  readonly unix?: string | undefined
  readonly username?: string | undefined
  readonly pw?: string | undefined
  readonly passwordFile?: string | undefined
  readonly scram?: true | undefined
  readonly id?: string | undefined
  readonly idPrefix?: string | undefined
  readonly protocolVersion?: string | undefined
  readonly keepalive?: string | undefined
  readonly disableCleanSession?: true | undefined
  readonly sessionExpiryInterval?: string | undefined
  readonly cafile?: string | undefined
  readonly capath?: string | undefined
  readonly tlsUseOsCerts?: true | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly insecure?: true | undefined
  readonly tlsAlpn?: string | undefined
  readonly tlsVersion?: string | undefined
  readonly ciphers?: string | undefined
  readonly willTopic?: string | undefined
  readonly willPayload?: string | undefined
  readonly willQos?: string | undefined
  readonly willRetain?: true | undefined
}

/** The flags of `TELL_GROUP`. */
export interface TellFlags {
  readonly debug?: true | undefined
  readonly quiet?: true | undefined
}

/** The flags of `CONNECTION_GROUPS`. */
export interface ConnectionFlags extends ProfileFlags {
  readonly profile?: string | undefined
  readonly askPassword?: true | undefined
}
