import { expect, it } from 'vitest'
import { World } from './world.test.support.ts'
it('works', async () => {
  const world = await World.open()
  const c = await world.connects({ clientId: 'c', sessionExpiryInterval: 100 })
  expect(c.takes().length).toBe(1)
  await c.subscribes('a/#')
  console.log(c.takes())
  world.publish('a/b', { payload: 'x' })
  expect(await c.drains()).toEqual(['x'])
  await world.restart()
  world.publish('a/b', { payload: 'y' })
  const d = await world.connects({ clientId: 'c', sessionExpiryInterval: 100 })
  expect(await d.drains()).toEqual(['y'])
})
