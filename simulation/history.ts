import type { OverflowAction } from '@godwit/broker'
import { seededRandom } from '@godwit/testkit'
import { Choices } from './choices.ts'

type ActionKind =
  | 'connect'
  | 'take over'
  | 'disconnect'
  | 'lose connection'
  | 'publish'
  | 'subscribe'
  | 'unsubscribe'
  | 'answer'
  | 'change answers'
  | 'ping'
  | 'work'
  | 'come to rest'
  | 'let time pass'
  | 'crash'
  | 'restart'
  | 'hold commits'
  | 'release commits'
  | 'fail a commit'
  | 'fill the disk'
  | 'make room'

/** How often what is done; a history has some of it more than others, and some not at all. */
const WEIGHTS: Readonly<Record<ActionKind, number>> = {
  connect: 16,
  'take over': 2,
  disconnect: 3,
  'lose connection': 4,
  publish: 30,
  subscribe: 14,
  unsubscribe: 2,
  answer: 10,
  'change answers': 2,
  ping: 1,
  work: 8,
  'come to rest': 3,
  'let time pass': 3,
  crash: 2,
  restart: 1,
  'hold commits': 2,
  'release commits': 4,
  'fail a commit': 0.5,
  'fill the disk': 0.3,
  'make room': 1
}

/** One step of a history; what exactly it does follows from its seed and from how things stand by then. */
export interface Action {
  readonly kind: ActionKind
  readonly client: number
  readonly seed: number
}

/** What does not change in the course of a history. */
export interface Profile {
  readonly clients: number
  /** The share of sessions that outlive their connections. */
  readonly durable: number
  readonly shared: number
  readonly retained: number
  readonly expiring: number
  readonly wills: number
  /** How much of what is done is done by the disk: with little, commits are slow, and gather much. */
  readonly diskShare: number
  /** Steps of the network, the disk and the broker after each action, at most. */
  readonly work: number
  readonly inflightMax: number
  /** The share of topics for which there is an overflow rule, which one, and how many messages may wait under it; 0: no rules. */
  readonly bounded: number
  readonly overflow: OverflowAction
  readonly backlogMax: number
  /** The share of topics that are kept in a history, and how many messages that keeps; 0: none. */
  readonly replayed: number
  readonly historyMax: number
}

export interface History {
  readonly seed: number
  readonly profile: Profile
  readonly actions: readonly Action[]
}

const ACTIONS_MAX = 160

export function historyOf(seed: number): History {
  const choose = new Choices(seededRandom(seed))
  const profile: Profile = {
    clients: 2 + choose.below(4),
    durable: choose.one(0.8, 1, 1),
    shared: choose.one(0, 0, 0.2, 0.6),
    retained: choose.one(0, 0.1, 0.4),
    expiring: choose.one(0, 0, 0.2),
    wills: choose.one(0, 0.3, 0.7),
    diskShare: choose.one(0.5, 0.1, 0.02),
    work: choose.one(4, 12, 40),
    inflightMax: choose.one(256, 256, 4, 1),
    ...boundsOf(seed)
  }
  const weights: Record<ActionKind, number> = { ...WEIGHTS }
  for (const kind of kindsOf(weights)) weights[kind] *= choose.one(0, 0.5, 1, 1, 2)
  // What a history is about: some are nearly nothing but crashes.
  weights.crash *= choose.one(1, 1, 4)
  weights.connect ||= WEIGHTS.connect
  weights.publish ||= WEIGHTS.publish
  weights.subscribe ||= WEIGHTS.subscribe
  const actions: Action[] = []
  const count = 20 + choose.below(ACTIONS_MAX - 20)
  while (actions.length < count) {
    const kind = choose.weighted(weights, 'work')
    actions.push({ kind, client: choose.below(profile.clients), seed: choose.below(0x7fff_ffff) })
  }
  return { seed, profile, actions }
}

/** Drawn apart, so that the histories without bounds are what they were before there were any. */
function boundsOf(seed: number): Pick<Profile, 'bounded' | 'overflow' | 'backlogMax' | 'replayed' | 'historyMax'> {
  const choose = new Choices(seededRandom(seed ^ 0x2545_f491))
  const [bounded, replayed] = [choose.one(0, 0, 0.3, 0.7), choose.one(0, 0, 0.3, 0.7)]
  return {
    bounded,
    overflow: choose.one('drop-oldest', 'drop-newest', 'dead-letter', 'refuse'),
    backlogMax: bounded === 0 ? 0 : choose.one(1, 2, 3, 6),
    replayed,
    historyMax: replayed === 0 ? 0 : choose.one(1, 4, 1000, 1000)
  }
}

function kindsOf(weights: Record<ActionKind, number>): ActionKind[] {
  return Object.keys(weights).filter((kind): kind is ActionKind => Object.hasOwn(weights, kind))
}
