import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { Delivery } from './inflight.ts'
import { message, request, seededRandom } from './samples.test.support.ts'
import { SHARE_STRATEGIES, ShareChooser, type ShareStrategy } from './share-strategies.ts'
import { Subscription } from './subscription.ts'
import { World } from './world.test.support.ts'

// fast-check prints its seed when a property fails; the other seeds are in the titles.

const SEED = 20_260_101
const STRATEGIES = Object.keys(SHARE_STRATEGIES).filter((name): name is ShareStrategy => Object.hasOwn(SHARE_STRATEGIES, name))
const anyone = (): boolean => true

describe('choosing a member of a shared subscription', () => {
  let members: readonly Subscription[] = []

  beforeAll(async () => {
    const world = await World.open()
    members = ['m0', 'm1', 'm2', 'm3', 'm4'].map((clientId) => {
      const session = world.engine.sessions.create(clientId, 0)
      session.inflight.open(100)
      return new Subscription(session, request('$share/g/t'), { shareName: 'g', topicFilter: 't' }, 0, 0)
    })
  })

  function counts(chosen: readonly (Subscription | undefined)[]): number[] {
    return members.map((member) => chosen.filter((each) => each === member).length)
  }

  it.each(STRATEGIES)(
    '%s: given members that can and cannot take it, then one that can is chosen, and none only if none can',
    (strategy) => {
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.subarray([0, 1, 2, 3, 4]), fc.constantFrom('a', 'b/c', '')), { minLength: 1 }),
          fc.nat(5),
          fc.nat(),
          (rounds, present, seed) => {
            const chooser = new ShareChooser(strategy, seededRandom(seed))
            const here = members.slice(0, present)
            for (const [able, topicName] of rounds) {
              const canTake = (member: Subscription): boolean => able.includes(members.indexOf(member))
              const chosen = chooser.choose(here, message(topicName), canTake)
              expect(chosen === undefined).toBe(!here.some(canTake))
              if (chosen !== undefined) expect(canTake(chosen) && here.includes(chosen)).toBe(true)
            }
          }
        )
      )
    }
  )

  it('round-robin: given members that can all take it, then each gets every fifth', () => {
    const chooser = new ShareChooser('round-robin', () => expect.unreachable())
    const chosen = Array.from({ length: 50 }, () => chooser.choose(members, message('t'), anyone))
    expect(chosen.slice(0, 5)).toEqual(members)
    expect(counts(chosen)).toEqual([10, 10, 10, 10, 10])
  })

  it('round-robin: given one that cannot take it, then the others still share alike in the long run', () => {
    const chooser = new ShareChooser('round-robin', () => 0)
    const chosen = Array.from({ length: 400 }, () => chooser.choose(members, message('t'), (member) => member !== members[2]))
    const shares = counts(chosen)
    expect(shares[2]).toBe(0)
    for (const share of [shares[0], shares[1], shares[3], shares[4]]) expect(share).toBe(100)
  })

  it('round-robin: given a member that leaves, then no one is left out', () => {
    const chooser = new ShareChooser('round-robin', () => 0)
    for (let count = 0; count < 4; count++) chooser.choose(members, message('t'), anyone)
    const rest = members.slice(0, 2)
    const chosen = Array.from({ length: 10 }, () => chooser.choose(rest, message('t'), anyone))
    expect(counts(chosen)).toEqual([5, 5, 0, 0, 0])
  })

  it(`random: given 5000 messages (seed ${SEED}), then each of five gets about a fifth`, () => {
    const chooser = new ShareChooser('random', seededRandom(SEED))
    const chosen = Array.from({ length: 5000 }, () => chooser.choose(members, message('t'), anyone))
    for (const share of counts(chosen)) expect(Math.abs(share - 1000)).toBeLessThan(120)
  })

  it('least-inflight: given members with more and less unacknowledged, then the one with the least is chosen', () => {
    const chooser = new ShareChooser('least-inflight', () => expect.unreachable())
    for (const [index, member] of members.entries()) {
      for (let count = 0; count < ([3, 1, 2, 1, 4][index] ?? 0); count++) {
        member.session.inflight.add(new Delivery(message('t'), 1, false, [], 0, undefined))
      }
    }
    expect(chooser.choose(members, message('t'), anyone)).toBe(members[1])
    expect(chooser.choose(members, message('t'), (member) => member !== members[1])).toBe(members[3])
  })

  it('sticky: given that it can, then the same one is chosen again, else the next, who then keeps it', () => {
    const chooser = new ShareChooser('sticky', () => expect.unreachable())
    const first = chooser.choose(members, message('t'), anyone)
    for (let count = 0; count < 10; count++) expect(chooser.choose(members, message('u'), anyone)).toBe(first)
    const second = chooser.choose(members, message('t'), (member) => member !== first)
    expect(second).not.toBe(first)
    for (let count = 0; count < 10; count++) expect(chooser.choose(members, message('t'), anyone)).toBe(second)
  })

  it('hash-topic: given one topic, then always the same one; given many, then all have some', () => {
    const chooser = new ShareChooser('hash-topic', () => expect.unreachable())
    const of = (topicName: string, publisherClientId: string) =>
      chooser.choose(members, message(topicName, { publisherClientId }), anyone)
    expect(new Set(Array.from({ length: 20 }, (_, index) => of('a/b', `p${index}`))).size).toBe(1)
    const shares = counts(Array.from({ length: 1000 }, (_, index) => of(`devices/${index}/state`, 'p')))
    for (const share of shares) expect(share).toBeGreaterThan(100)
  })

  it('hash-client: given one publisher, then always the same one; given many, then all have some', () => {
    const chooser = new ShareChooser('hash-client', () => expect.unreachable())
    const of = (topicName: string, publisherClientId: string) =>
      chooser.choose(members, message(topicName, { publisherClientId }), anyone)
    expect(new Set(Array.from({ length: 20 }, (_, index) => of(`t${index}`, 'p'))).size).toBe(1)
    const shares = counts(Array.from({ length: 1000 }, (_, index) => of('t', `client-${index}`)))
    for (const share of shares) expect(share).toBeGreaterThan(100)
  })
})
