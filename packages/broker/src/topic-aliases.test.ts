import { ReasonCode } from '@godwit/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InboundTopicAliases, OutboundTopicAliases } from './topic-aliases.ts'

const MAXIMUM = 5
const topicName = fc.constantFrom('a', 'a/b', 'c', 'ä/𝄞', '/')

describe('topic aliases of a client', () => {
  it('given any history, then an alias stands for the name it was last sent with', () => {
    const publish = fc.record({
      alias: fc.integer({ min: 1, max: MAXIMUM + 2 }),
      topicName: fc.oneof(topicName, fc.constant(''))
    })
    fc.assert(
      fc.property(fc.array(publish), (publishes) => {
        const aliases = new InboundTopicAliases(MAXIMUM)
        const known = new Map<number, string>()
        for (const { alias, topicName } of publishes) {
          if (alias > MAXIMUM) {
            // [5.0 MQTT-3.3.2-9]
            expect(() => aliases.resolve(alias, topicName)).toThrow(
              expect.objectContaining({ reasonCode: ReasonCode.TopicAliasInvalid })
            )
          } else if (topicName === '' && !known.has(alias)) {
            expect(() => aliases.resolve(alias, '')).toThrow(expect.objectContaining({ reasonCode: ReasonCode.ProtocolError }))
          } else {
            if (topicName !== '') known.set(alias, topicName)
            expect(aliases.resolve(alias, topicName)).toBe(known.get(alias))
          }
        }
      })
    )
  })

  it.each([1, 0xffff])('given a maximum of 0, then alias %d is refused, even with a name', (alias) => {
    expect(() => new InboundTopicAliases(0).resolve(alias, 'a')).toThrow(`Topic Alias ${alias}`)
  })
})

describe('topic aliases of the broker', () => {
  it('given any topics, then the first ones get 1 to the maximum, each its own, and keep them', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 })), fc.integer({ min: 1, max: 8 }), (topicNames, maximum) => {
        const aliases = new OutboundTopicAliases(maximum)
        const firsts: string[] = []
        for (const name of topicNames) {
          const known = aliases.known(name)
          expect(known).toBe(firsts.indexOf(name) + 1)
          if (known > 0) continue
          const assigned = aliases.assign(name)
          if (firsts.length === maximum) expect(assigned).toBe(0)
          else expect(assigned).toBe(firsts.push(name))
        }
      })
    )
  })
})
