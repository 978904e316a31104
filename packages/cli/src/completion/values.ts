import { SCENARIOS } from '../bench/scenarios.ts'

/** What a shell offers for a value: files, folders, the names of profiles, or these words; none: whatever is typed. */
export type Offer = 'files' | 'folders' | 'profiles' | readonly string[]

const PROPERTIES = [
  'content-type',
  'correlation-data',
  'message-expiry-interval',
  'payload-format-indicator',
  'response-topic',
  'session-expiry-interval',
  'user-property'
]

/** By what the help calls the value of a flag or an argument. */
const OFFERS: ReadonlyMap<string, Offer> = new Map<string, Offer>([
  ['file', 'files'],
  ['path', 'files'],
  ['dir', 'folders'],
  ['directory', 'folders'],
  ['backup', 'folders'],
  ['target', 'folders'],
  ['profile', 'profiles'],
  ['qos', ['0', '1', '2']],
  ['version', ['mqttv5', 'mqttv311', 'mqttv31']],
  ['tls-version', ['tlsv1.2', 'tlsv1.3']],
  ['when', ['always', 'new', 'never']],
  ['level', ['debug', 'info', 'warn', 'error', 'silent']],
  ['format', ['text', 'json']],
  ['shell', ['bash', 'zsh', 'fish']],
  ['scenario', Object.keys(SCENARIOS)],
  ['packet', ['CONNECT', 'PUBLISH', 'WILL', 'SUBSCRIBE', 'DISCONNECT']],
  ['name', PROPERTIES]
])

/** For a value called so: of a flag that takes several, one of them. */
export function offerOf(valueName: string): Offer {
  return OFFERS.get(valueName) ?? []
}
