import { expect, it } from 'vitest'
import { World } from './world.test.support.ts'

it.each(['as asked', 'as answered'] as const)(
  'given a store that answers late, %s, and a SUBSCRIBE before it does, then nothing is missed of what that brings',
  async (readsLate) => {
    const world = await World.open({ readsLate })
    const away = await world.connects({ clientId: 'c', sessionExpiryInterval: 3600 })
    await away.subscribes('a')
    await away.drops()
    world.publish('a', { payload: '1' })
    await world.settle()
    world.holdsAnswers = true
    const back = await world.connects({ clientId: 'c', sessionExpiryInterval: 3600 })
    await back.subscribes('b')
    world.publish('b', { payload: '2' })
    world.publish('a', { payload: '3' })
    world.holdsAnswers = false
    expect(await back.drains()).toEqual(['1', '2', '3'])
  }
)
