import { expect, test } from 'vitest'
import { settingsOf } from './settings.ts'
import { systemClock } from './platform-node.ts'

test.each([
  [['mqtt://ann:secret@a', 'mqtt://b'], 'ann'],
  [['mqtt://ann:secret@a', 'mqtt://ann:secret@b'], 'ann'],
  [['mqtt://a', 'mqtt://b'], undefined]
])('several URLs have one user and password: %s', (urls, userName) => {
  const settings = settingsOf(urls, {}, systemClock)
  expect(settings).toMatchObject({ userName, urls: ['mqtt://a', 'mqtt://b'] })
})

test.each([
  [['mqtt://ann:secret@a', 'mqtt://bob:secret@b']],
  [['mqtt://ann:secret@a', 'mqtt://ann:other@b']],
  [['mqtt://a', 'mqtt://bob@b']]
])('another user or password in a later URL is refused, and not shown: %s', (urls) => {
  expect(() => settingsOf(urls, {}, systemClock)).toThrow(
    'All URLs of a client have one user and password: give them in the first URL, or as options'
  )
})
