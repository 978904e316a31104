import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MqttError } from './mqtt-error.ts'
import { ReasonCode } from './reason-codes.ts'
import { parseSharedSubscription, topicLevels, topicMatches, validateTopicFilter, validateTopicName } from './topics.ts'

describe('validateTopicName', () => {
  it.each([
    'a',
    '/',
    '//',
    ' ',
    'a/b',
    '/finance',
    'Accounts payable',
    '$SYS/x',
    '\ufeff',
    'x'.repeat(65_535),
    '😀'.repeat(16_383)
  ])('accepts %j', (topicName) => {
    expect(validateTopicName(topicName)).toBeUndefined()
  })

  it.each([
    ['[5.0 MQTT-4.7.3-1] [3.1.1 MQTT-4.7.3-1] the empty one', ''],
    ['[5.0 MQTT-4.7.3-2] [3.1.1 MQTT-4.7.3-2] U+0000', 'a\0b'],
    ['[5.0 MQTT-4.7.3-3] [3.1.1 MQTT-4.7.3-3] 65,536 bytes', 'x'.repeat(65_536)],
    ['[5.0 MQTT-4.7.3-3] 65,536 bytes in 32,768 characters', 'ü'.repeat(32_768)],
    ['[5.0 MQTT-4.7.3-3] 65,536 bytes in 16,384 characters', '😀'.repeat(16_384)],
    ['[5.0 MQTT-4.7.3-3] 65,538 bytes in 21,846 characters', '水'.repeat(21_846)],
    ['[5.0 MQTT-1.5.4-1] [3.1.1 MQTT-1.5.3-1] half a surrogate pair', 'a\ud800'],
    ['[5.0 MQTT-4.7.0-1] [3.1.1 MQTT-4.7.1-1] +', 'a/+'],
    ['[5.0 MQTT-4.7.0-1] [3.1.1 MQTT-4.7.1-1] # within a level', 'a/b#']
  ])('refuses %s', (_title, topicName) => {
    expect(validateTopicName(topicName)).toBeTypeOf('string')
  })
})

describe('validateTopicFilter', () => {
  it.each([
    'a',
    '#',
    '+',
    '/',
    '+/+',
    'sport/#',
    'sport/+/player1',
    '/+',
    '+/tennis/#',
    '$SYS/#',
    '$share/g/#',
    '$share/g/+',
    '$share'
  ])('accepts %j', (topicFilter) => {
    expect(validateTopicFilter(topicFilter)).toBeUndefined()
  })

  it.each([
    ['[5.0 MQTT-4.7.3-1] the empty one', ''],
    ['[5.0 MQTT-4.7.3-2] U+0000', '\0'],
    ['[5.0 MQTT-4.7.3-3] 65,536 bytes', 'x'.repeat(65_536)],
    ['[5.0 MQTT-4.7.1-1] [3.1.1 MQTT-4.7.1-2] # that is not last', 'sport/tennis/#/ranking'],
    ['[5.0 MQTT-4.7.1-1] [3.1.1 MQTT-4.7.1-2] # within a level', 'sport/tennis#'],
    ['[5.0 MQTT-4.7.1-1] [3.1.1 MQTT-4.7.1-2] # twice', '##'],
    ['[5.0 MQTT-4.7.1-2] [3.1.1 MQTT-4.7.1-3] + behind text', 'sport+'],
    ['[5.0 MQTT-4.7.1-2] [3.1.1 MQTT-4.7.1-3] + before text', '+sport/a'],
    ['[5.0 MQTT-4.7.1-2] [3.1.1 MQTT-4.7.1-3] + twice', 'a/++'],
    ['[5.0 MQTT-4.8.2-1] an empty ShareName', '$share//a'],
    ['[5.0 MQTT-4.8.2-1] no ShareName', '$share/'],
    ['[5.0 MQTT-4.8.2-2] no Topic Filter', '$share/g'],
    ['[5.0 MQTT-4.8.2-2] an empty Topic Filter', '$share/g/'],
    ['[5.0 MQTT-4.8.2-2] a ShareName with +', '$share/+/a'],
    ['[5.0 MQTT-4.8.2-2] a ShareName with #', '$share/#'],
    ['[5.0 MQTT-4.8.2-2] a Topic Filter that is none', '$share/g/a#']
  ])('refuses %s', (_title, topicFilter) => {
    expect(validateTopicFilter(topicFilter)).toBeTypeOf('string')
  })
})

describe('parseSharedSubscription', () => {
  it.each([
    ['$share/g/a/b', { shareName: 'g', topicFilter: 'a/b' }],
    ['$share/g//finance', { shareName: 'g', topicFilter: '/finance' }],
    ['$share/g//', { shareName: 'g', topicFilter: '/' }],
    ['$share/consumer 1/#', { shareName: 'consumer 1', topicFilter: '#' }],
    ['$share', undefined],
    ['$SHARE/g/a', undefined],
    ['a/$share/g/a', undefined],
    ['#', undefined]
  ])('%j', (topicFilter, expected) => {
    expect(parseSharedSubscription(topicFilter)).toEqual(expected)
  })

  it.each(['$share/', '$share//a', '$share/g', '$share/g/', '$share/+/a', '$share/g+/a', '$share/g/#/b'])(
    '[5.0 MQTT-4.8.2-1] [5.0 MQTT-4.8.2-2] refuses %j as Topic Filter invalid',
    (topicFilter) => {
      expect(() => parseSharedSubscription(topicFilter)).toThrow(MqttError)
      expect(() => parseSharedSubscription(topicFilter)).toThrow(
        expect.objectContaining({ reasonCode: ReasonCode.TopicFilterInvalid })
      )
    }
  )
})

describe('topicMatches', () => {
  it.each([
    // The examples of [5.0 4.7.1]
    ['sport/tennis/player1/#', 'sport/tennis/player1', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
    ['sport/tennis/player1/#', 'sport/tennis/player10', false],
    ['sport/#', 'sport', true],
    ['sport/tennis/+', 'sport/tennis/player1', true],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['+/tennis/#', 'sport/tennis', true],
    ['sport/+/player1', 'sport/tennis/player1', true],
    ['sport/+/player1', 'sport//player1', true],
    ['sport/+/player1', 'sport/player1', false],
    // Empty levels are levels [5.0 4.7.3]
    ['#', '/', true],
    ['+', '', true],
    ['a//b', 'a//b', true],
    ['a//b', 'a/b', false],
    ['a/', 'a', false],
    ['a', 'a/', false],
    ['a/b', 'a', false],
    ['+/#', 'a', true],
    ['+/+/#', 'a/b', true],
    ['+/+/#', 'a', false],
    ['a/+/#', 'a', false],
    ['/#', '/', true],
    ['a/b/#', 'a', false]
  ])('%j and %j: %s', (topicFilter, topicName, expected) => {
    expect(topicMatches(topicFilter, topicName)).toBe(expected)
  })

  it.each([
    ['#', '$SYS/x', false],
    ['+/x', '$SYS/x', false],
    ['+', '$SYS', false],
    ['$SYS/#', '$SYS/x', true],
    ['$SYS/#', '$SYS', true],
    ['$SYS/monitor/+', '$SYS/monitor/Clients', true],
    ['$SYS/x', '$SYS/x', true],
    ['x/+', 'x/$SYS', true],
    ['x/#', 'x/$SYS', true]
  ])('[5.0 MQTT-4.7.2-1] [3.1.1 MQTT-4.7.2-1] %j and %j: %s', (topicFilter, topicName, expected) => {
    expect(topicMatches(topicFilter, topicName)).toBe(expected)
  })

  it.each([
    ['ACCOUNTS', 'Accounts', false],
    ['\u00c5', 'A\u030a', false],
    ['\ufeffa', 'a', false],
    ['水/+', '水/😀', true]
  ])(
    '[5.0 MQTT-4.7.3-4] [3.1.1 MQTT-4.7.3-4] compares characters as they are: %j and %j: %s',
    (topicFilter, topicName, expected) => {
      expect(topicMatches(topicFilter, topicName)).toBe(expected)
    }
  )

  it('agrees with a matcher that splits', () => {
    const level = fc.constantFrom('', 'a', 'b', 'ab', '$a')
    const name = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join('/'))
    const filter = fc
      .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 5 }), fc.boolean())
      .map(([levels, hasHash]) => [...levels, ...(hasHash ? ['#'] : [])].join('/'))
    fc.assert(
      fc.property(fc.oneof(filter, fc.constant('#')), name, (topicFilter, topicName) => {
        expect(topicMatches(topicFilter, topicName)).toBe(matchesBySplitting(topicFilter, topicName))
      }),
      { numRuns: 5000 }
    )
  })

  function matchesBySplitting(topicFilter: string, topicName: string): boolean {
    const wanted = topicFilter.split('/')
    const levels = topicName.split('/')
    if (levels[0]?.startsWith('$') === true && (wanted[0] === '+' || wanted[0] === '#')) return false
    for (const [index, each] of wanted.entries()) {
      if (each === '#') return levels.length >= index
      if (levels.length <= index || (each !== '+' && each !== levels[index])) return false
    }
    return levels.length === wanted.length
  }
})

describe('topicLevels', () => {
  it.each([
    ['a', 1],
    ['/', 2],
    ['a/b', 2],
    ['//', 3],
    ['a/+/#', 3]
  ])('%j has %i', (topic, levels) => {
    expect(topicLevels(topic)).toBe(levels)
  })
})
