import { type ConnectionFlags, CONNECTION_GROUPS, WILL_FLAGS } from '../connection/connection-flags.ts'
import type { Example, FlagGroup, VerbFlag } from '../flags.ts'

/** What flags of a single client mean to many; undefined: they cannot have it. */
const FOR_MANY: ReadonlyMap<string, string | undefined> = new Map([
  ['--id', undefined],
  ['--disable-clean-session', undefined],
  ['--id-prefix', 'Begin the Client Identifiers with this (default: bench)'],
  ['--session-expiry-interval', 'Let the sessions outlive a lost connection by so much (default: 0; of durable: an hour)']
])

export const BENCH_GROUPS: readonly FlagGroup[] = [
  {
    title: 'Load',
    flags: [
      { flag: '-q, --qos <qos>', description: '0: at most once, 1: at least once, 2: exactly once (default: 1)' },
      { flag: '--clients <count>', description: 'Clients of the side that there are many of; of p2p and durable: pairs' },
      { flag: '--publishers <count>', description: 'Publishers; with subscribe 0: take what others publish to --topic' },
      { flag: '--subscribers <count>', description: 'Subscribers' },
      { flag: '--duration <seconds>', description: 'How long to measure (default: 8; in the tour 1, with --compare 2)' },
      { flag: '--warm-up <seconds>', description: 'How long before (default: 1; in the tour and with --compare 0.3)' },
      {
        flag: '--messages <count>',
        description: 'So many messages of all publishers together, instead of a time (default of durable: 1,000 for each session)'
      },
      {
        flag: '--rate <count>',
        description: 'Messages per second, of all publishers together (default: as fast as they arrive)'
      },
      { flag: '--payload-size <bytes>', description: 'Bytes of each payload, from 28 (default: 64)' },
      {
        flag: '--inflight <count>',
        description: 'Messages of each publisher under way; of connect: connections (default: by scenario, 2 to 200)'
      },
      { flag: '-t, --topic <topic>', description: 'Publish below this topic (default: one that is made up)' },
      { flag: '--hold <seconds>', description: 'connect: how long to keep the connections (default: 1)' },
      { flag: '--threads <count>', description: 'Threads that make the load (default: processors - 1, at most 4)' }
    ]
  },
  {
    title: 'Compare',
    flags: [
      { flag: '--compare <url>', description: 'Measure a second broker, B, in alternation with the first, A' },
      { flag: '--rounds <count>', description: 'Measure everything so many times (default: 1, with --compare 5)' },
      { flag: '--save <file>', description: 'Write the results to a file, as --json prints them' },
      { flag: '--baseline <file>', description: 'Compare with results that were saved' },
      {
        flag: '--pid <pid>',
        description: "Also measure the broker's own CPU time and memory, by its process on this machine (Linux)"
      },
      { flag: '--compare-pid <pid>', description: 'The same for broker B' }
    ]
  },
  {
    title: 'What it tells',
    flags: [
      { flag: '--json', description: 'Print the results as JSON' },
      { flag: '--html <file>', description: 'Write a report with plots, one file that needs nothing else' },
      { flag: '--quiet', description: 'Show no progress' }
    ]
  },
  ...CONNECTION_GROUPS.filter((group) => group !== WILL_FLAGS).map(({ title, flags }) => ({
    title,
    flags: flags.flatMap(forMany)
  }))
]

export const BENCH_EXAMPLES: readonly Example[] = [
  { what: 'A bit of everything, in about ten seconds', command: 'godwit bench --url mqtt://localhost' },
  { what: 'How long a message takes at a steady rate', command: 'godwit bench p2p -q 1 --rate 10000 --duration 30' },
  { what: 'One message to 2,000 subscribers, with a report', command: 'godwit bench fan-out --clients 2000 --html report.html' },
  {
    what: 'Two brokers in alternation',
    command: 'godwit bench p2p fan-in --url mqtt://localhost:1883 --compare mqtt://localhost:1884'
  },
  { what: 'The same again after a change', command: 'godwit bench durable --rounds 5 --baseline before.json' }
]

function forMany(flag: VerbFlag): VerbFlag[] {
  const name = /--[a-z-]+/.exec(flag.flag)?.[0] ?? ''
  if (!FOR_MANY.has(name)) return [flag]
  const description = FOR_MANY.get(name)
  return description === undefined ? [] : [{ ...flag, description }]
}

/** As commander gives them. */
export interface BenchFlags extends ConnectionFlags {
  readonly qos?: string | undefined
  readonly clients?: string | undefined
  readonly publishers?: string | undefined
  readonly subscribers?: string | undefined
  readonly duration?: string | undefined
  readonly warmUp?: string | undefined
  readonly messages?: string | undefined
  readonly rate?: string | undefined
  readonly payloadSize?: string | undefined
  readonly inflight?: string | undefined
  readonly topic?: string | undefined
  readonly hold?: string | undefined
  readonly threads?: string | undefined
  readonly compare?: string | undefined
  readonly rounds?: string | undefined
  readonly save?: string | undefined
  readonly baseline?: string | undefined
  readonly pid?: string | undefined
  readonly comparePid?: string | undefined
  readonly json?: true | undefined
  readonly html?: string | undefined
  readonly quiet?: true | undefined
}
