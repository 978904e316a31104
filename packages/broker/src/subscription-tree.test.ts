import { hasWildcard, type QoS, topicMatches } from '@godwit/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LocalSubscription } from './local-subscription.ts'
import { MatchCache } from './match.ts'
import { request } from './samples.test.support.ts'
import type { Session } from './session.ts'
import { Subscription } from './subscription.ts'
import { type FilterNode, SubscriptionTree, subscriptionsOf } from './subscription-tree.ts'
import { World } from './world.test.support.ts'

// fast-check prints its seed when a property fails.

const level = fc.constantFrom('a', 'b', '', '$x', 'ä')
const topicName = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((name) => name !== '')
const topicFilter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.boolean())
  .map(([levels, hasHash]) => (hasHash ? [...levels, '#'] : levels).join('/'))
  .filter((filter) => filter !== '')

function filterOf(node: FilterNode): string {
  const levels: string[] = []
  for (let at: FilterNode | undefined = node; at !== undefined; at = at.parent) levels.unshift(at.level)
  // Above the first level is the root, which has no text.
  return (node.parent === undefined ? levels : levels.slice(1)).join('/')
}

/** How many nodes these filters need: one for each without wildcards, one for each level of the others. */
function nodesFor(filters: readonly string[]): number {
  const paths = filters.flatMap((filter) => {
    if (!hasWildcard(filter)) return [`exact ${filter}`]
    return filter.split('/').map((_, at, levels) => levels.slice(0, at + 1).join('/'))
  })
  return new Set(paths).size
}

describe('the subscription tree', () => {
  it('given any filters that come and go, then a topic matches exactly those that topicMatches says, and no node is left behind', () => {
    const step = fc.record({ filter: topicFilter, isAdded: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), fc.array(topicName, { minLength: 5 }), (steps, topicNames) => {
        const tree = new SubscriptionTree()
        const used = new Map<string, LocalSubscription>()
        for (const { filter, isAdded } of steps) {
          const node = isAdded ? tree.open(filter) : tree.find(filter)
          if (isAdded) {
            const local = used.get(filter) ?? new LocalSubscription(filter, () => {})
            used.set(filter, local)
            if (node !== undefined) node.locals = new Set([local])
          } else if (node !== undefined) {
            used.delete(filter)
            node.locals = undefined
            tree.prune(node)
          } else expect(used.has(filter)).toBe(false)
        }
        for (const name of topicNames) {
          const nodes: FilterNode[] = []
          tree.match(name, nodes)
          const matched = nodes.filter(({ locals }) => locals !== undefined).map(filterOf)
          expect(matched.toSorted()).toEqual([...used.keys()].filter((filter) => topicMatches(filter, name)).toSorted())
        }
        expect(tree.nodeCount).toBe(nodesFor([...used.keys()]))
        for (const filter of used.keys()) {
          const node = tree.find(filter)
          if (node === undefined) return expect.unreachable()
          node.locals = undefined
          tree.prune(node)
        }
        expect(tree.nodeCount).toBe(0)
      }),
      { numRuns: 300 }
    )
  })

  it('given subscriptions of one filter in any order of coming and going, then each knows its place', async () => {
    const world = await World.open()
    const session = world.engine.sessions.create('c', 0)
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (order) => {
        const tree = new SubscriptionTree()
        const node = tree.open('a')
        const present: Subscription[] = []
        for (const pick of order) {
          const version = tree.version
          if (pick < present.length) {
            const [removed] = present.splice(pick, 1)
            if (removed !== undefined) tree.removeSubscription(node, removed)
          } else {
            const added = new Subscription(session, request('a'), undefined, 0, 0)
            present.push(added)
            tree.addSubscription(node, added)
          }
          expect(tree.version).not.toBe(version)
          expect(new Set(subscriptionsOf(node.subscriptions))).toEqual(new Set(present))
          expect(present.map(({ index }) => subscriptionsOf(node.subscriptions)[index])).toEqual(present)
        }
      })
    )
  })
})

describe('a match', () => {
  const subscription = fc.record({
    session: fc.nat(2),
    filter: topicFilter,
    qos: fc.constantFrom<QoS>(0, 1, 2),
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    identifier: fc.constantFrom(0, 1, 127, 128)
  })

  it('given any overlapping subscriptions, then each session gets one delivery that is made of all of its own', async () => {
    const world = await World.open()
    const sessions = ['c0', 'c1', 'c2'].map((clientId) => world.engine.sessions.create(clientId, 0))
    fc.assert(
      fc.property(fc.array(subscription, { maxLength: 12 }), topicName, (given, name) => {
        const tree = new SubscriptionTree()
        const made: Subscription[] = []
        for (const { session: at, filter, qos, noLocal, retainAsPublished, identifier } of given) {
          const session = sessions[at]
          if (session === undefined || made.some((other) => other.session === session && other.topicFilter === filter)) continue
          const added = new Subscription(session, request(filter, { qos, noLocal, retainAsPublished }), undefined, identifier, 0)
          made.push(added)
          tree.addSubscription(tree.open(filter), added)
        }
        const match = new MatchCache(tree, 10).match(name)
        const expected = (session: Session, own: boolean) => {
          const matching = made.filter(
            (each) => each.session === session && topicMatches(each.topicFilter, name) && !(own && each.noLocal)
          )
          if (matching.length === 0) return undefined
          return {
            qos: Math.max(...matching.map(({ qos }) => qos)),
            retainAsPublished: matching.some((each) => each.retainAsPublished),
            identifiers: [...new Set(matching.map(({ identifier }) => identifier).filter((each) => each > 0))].toSorted(
              (a, b) => a - b
            )
          }
        }
        for (const session of sessions) {
          const targets = match.targets.filter((target) => target.session === session)
          expect(targets.length).toBeLessThanOrEqual(1)
          const [target] = targets
          for (const own of [false, true]) {
            const actual = own ? target?.forOwnMessages : target
            expect(
              actual && {
                qos: actual.qos,
                retainAsPublished: actual.retainAsPublished,
                identifiers: [...actual.subscriptionIdentifiers].toSorted((a, b) => a - b)
              }
            ).toEqual(expected(session, own))
          }
        }
        expect(match.isEmpty).toBe(match.targets.length === 0)
      }),
      { numRuns: 400 }
    )
  })

  it('given that the tree changes, then what was remembered is forgotten; until then a topic is looked up once', async () => {
    const world = await World.open()
    const session = world.engine.sessions.create('c', 0)
    const tree = new SubscriptionTree()
    const cache = new MatchCache(tree, 2)
    const before = cache.match('a')
    expect(cache.match('a')).toBe(before)
    const added = new Subscription(session, request('#'), undefined, 0, 0)
    tree.addSubscription(tree.open('#'), added)
    expect(cache.match('a').targets).toHaveLength(1)
    tree.removeSubscription(tree.open('#'), added)
    expect(cache.match('a').isEmpty).toBe(true)
    for (const name of ['b', 'c', 'd', 'e']) cache.match(name)
    expect(cache.match('a').isEmpty).toBe(true)
  })

  it('given that hardly a topic comes twice, then none is remembered for a while, and afterwards again', async () => {
    const world = await World.open()
    const tree = new SubscriptionTree()
    tree.addSubscription(tree.open('#'), new Subscription(world.engine.sessions.create('c', 0), request('#'), undefined, 0, 0))
    const cache = new MatchCache(tree, 8)
    const isRemembered = (name: string): boolean => {
      const match = cache.match(name)
      expect(match.targets).toHaveLength(1)
      cache.match('in between')
      return cache.match(name) === match
    }
    expect(isRemembered('a')).toBe(true)
    for (let topic = 0; topic < 20; topic++) cache.match(`t/${topic}`)
    expect(isRemembered('a')).toBe(false)
    for (let times = 0; times < 128; times++) cache.match(`b/${times % 2}`)
    expect(isRemembered('a')).toBe(true)
  })
})

describe('subscribing and unsubscribing', () => {
  it('given any history of durable, transient, shared and local subscriptions, then in the end the tree, the queues and the count are empty', async () => {
    const kinds = fc.constantFrom('plain', 'shared', 'local')
    const step = fc.record({
      client: fc.nat(3),
      kind: kinds,
      filter: topicFilter,
      qos: fc.constantFrom<QoS>(0, 1, 2),
      isAdded: fc.boolean()
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
        const world = await World.open()
        const { subscriptions, tree, queues, sessions } = world.engine
        const clients = [0, 0, 100, 100].map((expiry, at) => sessions.create(`c${at}`, expiry))
        const locals = new Map<string, () => void>()
        const filters = new Set<string>()
        const held = new Set<string>()
        for (const { client, kind, filter, qos, isAdded } of steps) {
          filters.add(filter)
          const session = clients[client]
          if (session === undefined) continue
          const written = kind === 'shared' ? `$share/g/${filter}` : filter
          const key = `${client} ${written}`
          if (kind === 'local') {
            locals.get(filter)?.()
            locals.delete(filter)
            const end = isAdded ? subscriptions.addLocal(filter, () => {}) : undefined
            if (end !== undefined) locals.set(filter, end)
          } else if (isAdded) {
            subscriptions.add(
              session,
              request(written, { qos }),
              kind === 'shared' ? { shareName: 'g', topicFilter: filter } : undefined,
              0
            )
            held.add(key)
          } else {
            expect(subscriptions.remove(session, written, 'unsubscribed')).toBe(held.delete(key))
          }
          expect(subscriptions.count).toBe(held.size)
          for (const each of clients) {
            expect([...each.subscriptions.keys()].toSorted()).toEqual(
              [...held]
                .filter((other) => other.startsWith(`${each.clientId.slice(1)} `))
                .map((other) => other.slice(2))
                .toSorted()
            )
          }
        }
        for (const end of locals.values()) end()
        for (const session of clients) sessions.end(session, 'session-ended')
        expect([subscriptions.count, queues.size, sessions.size]).toEqual([0, 0, 0])
        for (const filter of filters) expect(tree.find(filter)).toBeUndefined()
      }),
      { numRuns: 100 }
    )
  })
})
