import { type ConnectionFlags, CONNECTION_GROUPS, TELL_GROUP, type TellFlags } from '../connection/connection-flags.ts'
import type { Example, FlagGroup } from '../flags.ts'

/** How messages are shown: of `sub`, and of `request` for the reply. */
export const OUTPUT_GROUP: FlagGroup = {
  title: 'Output: the payload and a line feed, or',
  flags: [
    { flag: '-v, --verbose', description: 'The topic, a space, and the payload' },
    {
      flag: '--pretty',
      description: 'All there is to say of a message, as a block for people; with --json or %j, JSON on several lines'
    },
    {
      flag: '--json',
      description: 'A JSON object on a line: topic, payload or payloadBase64, qos, retain, properties, latencyMs, ...'
    },
    {
      flag: '-F, --format <template>',
      description:
        'What a template says, such as "%t %p": %t topic, %p payload, %q QoS, %r retained, %l bytes, %L latency, %j JSON, @Y-@m-@d time'
    },
    { flag: '-N, --no-newline', description: 'No line feed after each message' }
  ]
}

export const SUB_GROUPS: readonly FlagGroup[] = [
  {
    title: 'What to subscribe to',
    flags: [
      {
        flag: '-t, --topic <filter>',
        description: 'Topic Filter, also $share/GROUP/FILTER; the same as an argument',
        repeats: true
      },
      { flag: '-q, --qos <qos>', description: 'The highest QoS to receive messages with: 0, 1 or 2 (default: 0)' },
      {
        flag: '--retain-handling <when>',
        description: 'Retained messages: always, new (for a new subscription) or never (5.0; default: always)'
      },
      { flag: '--retain-as-published', description: 'Show as retained what was published so, also when it is fresh (5.0)' },
      { flag: '--no-local', description: 'Leave out what this Client Identifier publishes (5.0)' },
      {
        flag: '-U, --unsubscribe <filter>',
        description: 'Give up a subscription that a kept session has: goes with -c',
        repeats: true
      },
      {
        flag: '-D, --property <packet> <name> <value>',
        description:
          'Set a property (5.0) of CONNECT, WILL or DISCONNECT; user-property takes a name and a value, also with SUBSCRIBE',
        repeats: true
      }
    ]
  },
  {
    title: 'What to leave out',
    flags: [
      { flag: '-T, --filter-out <filter>', description: 'Messages whose topic matches', repeats: true },
      { flag: '-R, --fresh-only', description: 'Retained messages' },
      { flag: '--random-filter <percent>', description: 'All but so many percent of the messages, by chance' }
    ]
  },
  {
    title: 'Retained messages',
    flags: [
      { flag: '--retained-only', description: 'End when the first message comes that is not retained, and do not show it' },
      { flag: '--remove-retained', description: 'Have the server forget the retained messages that come' }
    ]
  },
  OUTPUT_GROUP,
  {
    title: 'When to end, beside Ctrl-C',
    flags: [
      { flag: '-C, --count <count>', description: 'After so many messages' },
      { flag: '-W, --timeout <seconds>', description: 'After so long: status 27' },
      { flag: '--idle <seconds>', description: 'When nothing has come for so long: status 0' },
      { flag: '--until <text>', description: 'After a message whose payload is this text' },
      { flag: '-E, --exit-when-subscribed', description: 'When the server has made the subscriptions' }
    ]
  },
  TELL_GROUP,
  ...CONNECTION_GROUPS
]

export const SUB_EXAMPLES: readonly Example[] = [
  { what: 'Watch everything, with topics', command: "godwit sub -v '#'" },
  {
    what: 'All there is to say of each message, latency too where it came from pub --timestamp',
    command: "godwit sub --pretty 'sensors/#'"
  },
  { what: 'The next value for a script, or status 27 after five seconds', command: 'godwit sub -C 1 -W 5 sensors/kitchen' },
  { what: 'One JSON object on a line, for jq', command: "godwit sub --json 'meter/+/power' | jq .payload" },
  { what: 'Take turns with others that run the same', command: "godwit sub -q 1 '$share/workers/jobs/#'" },
  { what: 'Miss nothing between two calls', command: "godwit sub -i archive -c -q 1 --idle 5 'events/#' >> events.log" },
  { what: 'Have the server forget what it keeps', command: "godwit sub --retained-only --remove-retained -W 2 'old/#'" }
]

/** `OUTPUT_GROUP`, as commander gives it. */
export interface OutputFlags {
  readonly verbose?: true | undefined
  readonly pretty?: true | undefined
  readonly json?: true | undefined
  readonly format?: string | undefined
  /** False with `--no-newline`. */
  readonly newline?: boolean | undefined
}

export interface SubFlags extends ConnectionFlags, OutputFlags, TellFlags {
  readonly topic?: readonly string[] | undefined
  readonly qos?: string | undefined
  readonly retainHandling?: string | undefined
  readonly retainAsPublished?: true | undefined
  /** False with `--no-local`. */
  readonly local?: boolean | undefined
  readonly unsubscribe?: readonly string[] | undefined
  readonly property?: readonly string[] | undefined
  readonly filterOut?: readonly string[] | undefined
  readonly freshOnly?: true | undefined
  readonly randomFilter?: string | undefined
  readonly retainedOnly?: true | undefined
  readonly removeRetained?: true | undefined
  readonly count?: string | undefined
  readonly timeout?: string | undefined
  readonly idle?: string | undefined
  readonly until?: string | undefined
  readonly exitWhenSubscribed?: true | undefined
}
