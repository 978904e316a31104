import { expect, test } from 'vitest'
import { didYouMean } from './did-you-mean.ts'

test.each([
  ['prot', 'port'],
  ['Host', 'host'],
  ['clientMax', 'clientsMax'],
  ['clinetsMax', 'clientsMax'],
  ['trustedProxy', undefined],
  ['allowed', 'allowedOrigins'],
  ['hostname', 'host'],
  ['x', undefined],
  ['', undefined]
])('%j means %j', (word, meant) => {
  expect(didYouMean(word, ['port', 'host', 'clientsMax', 'allowedOrigins'])).toBe(meant)
})

test('among several that are near, the nearest', () => {
  expect(didYouMean('subscriptionMax', ['subscriptionsPerClientMax', 'subscriptionsMax'])).toBe('subscriptionsMax')
})
