import { type ConnectionFlags, CONNECTION_GROUPS, TELL_GROUP, type TellFlags } from '../connection/connection-flags.ts'
import type { Example, FlagGroup } from '../flags.ts'

/** What `pub` and `request` have in common: one message. */
export const MESSAGE_GROUPS: readonly FlagGroup[] = [
  {
    title: 'Message',
    flags: [
      { flag: '-t, --topic <topic>', description: 'Topic to publish to; the same as the first argument' },
      { flag: '-q, --qos <qos>', description: '0: at most once, 1: at least once, 2: exactly once' },
      {
        flag: '-D, --property <packet> <name> <value>',
        description:
          'Set a property (5.0) of PUBLISH, CONNECT, WILL or DISCONNECT, such as content-type or message-expiry-interval; ' +
          'user-property takes a name and a value',
        repeats: true
      }
    ]
  },
  {
    title: 'Payload: one of these, or the second argument',
    flags: [
      { flag: '-m, --message <text>', description: 'Text' },
      { flag: '-f, --file <file>', description: 'What a file holds' },
      { flag: '-s, --stdin-file', description: 'All of standard input' },
      { flag: '-n, --null-message', description: 'Nothing; with --retain, the server forgets what it keeps for the topic' }
    ]
  }
]

export const PUB_GROUPS: readonly FlagGroup[] = [
  ...MESSAGE_GROUPS,
  {
    title: 'Many messages, from standard input',
    flags: [
      { flag: '-l, --stdin-line', description: 'A message for each line' },
      {
        flag: '--stdin-null',
        description: 'A message for each piece that ends with a null character, as find -print0 writes them'
      },
      {
        flag: '--json-lines',
        description:
          'A message for each line, a JSON object with topic and payload, and qos, retain and properties if need be: what sub --json writes'
      }
    ]
  },
  {
    title: 'How to publish',
    flags: [
      { flag: '-r, --retain', description: 'Have the server keep the message for those who subscribe later' },
      { flag: '--repeat <count>', description: 'Publish the message so many times' },
      { flag: '--repeat-delay <seconds>', description: 'And wait so long after each (default: 0)' },
      {
        flag: '--timestamp',
        description: 'Say in a User Property, sent-at-ms, when it was sent: sub shows the latency then (5.0)'
      },
      { flag: '-M, --max-inflight <count>', description: 'Messages of QoS 1 and 2 under way at once (default: 1000)' },
      {
        flag: '--outbox <dir>',
        description:
          'Keep what is published in a folder until the server has it, also beyond the end of this command; QoS 1 and 2'
      },
      { flag: '-W, --timeout <seconds>', description: 'Give up when nothing is acknowledged for so long (default: 30)' }
    ]
  },
  {
    title: TELL_GROUP.title,
    flags: [
      { flag: '--json', description: 'Say what became of each message, a JSON object on a line of standard output' },
      ...TELL_GROUP.flags
    ]
  },
  ...CONNECTION_GROUPS
]

export const PUB_EXAMPLES: readonly Example[] = [
  { what: 'Publish a text, and wait until the server has it', command: 'godwit pub sensors/kitchen 21.5 -q 1' },
  { what: 'As mosquitto_pub takes it, to another machine', command: 'godwit pub -h broker.example -t lamp/set -m on -r' },
  { what: 'A message for each line that a program prints', command: 'read-meter | godwit pub -t meter/power -l -q 1' },
  {
    what: 'Lose nothing while the server is away: what is stored goes out with the next call',
    command: 'godwit pub --outbox ./outbox -q 1 pump/7/state running'
  },
  {
    what: 'Copy what one server gets to another',
    command: "godwit sub --json '#' | godwit pub --json-lines --url mqtts://other.example"
  }
]

/** `MESSAGE_GROUPS`, as commander gives them. */
export interface MessageFlags extends ConnectionFlags, TellFlags {
  readonly topic?: string | undefined
  readonly qos?: string | undefined
  readonly property?: readonly string[] | undefined
  readonly message?: string | undefined
  readonly file?: string | undefined
  readonly stdinFile?: true | undefined
  readonly nullMessage?: true | undefined
  readonly timeout?: string | undefined
}

export interface PubFlags extends MessageFlags {
  readonly stdinLine?: true | undefined
  readonly stdinNull?: true | undefined
  readonly jsonLines?: true | undefined
  readonly retain?: true | undefined
  readonly repeat?: string | undefined
  readonly repeatDelay?: string | undefined
  readonly timestamp?: true | undefined
  readonly maxInflight?: string | undefined
  readonly outbox?: string | undefined
  readonly json?: true | undefined
}
