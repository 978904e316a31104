import { expect, test } from 'vitest'
import { SimStore } from './sim-store.ts'
import { Simulation } from './simulation.ts'

const SESSION = { clientId: 'a', sessionExpiryIntervalSeconds: 1, disconnectedAtMs: 0, listener: '' }

async function opened(store: SimStore): Promise<string[]> {
  const heard: string[] = []
  await store.open({
    onCommitted: (commit) => heard.push(`committed ${commit}`),
    onCommitFailed: (commit, error) => heard.push(`failed ${commit}: ${error.message}`)
  })
  return heard
}

test('commits are made step by step, and not while they are held', async () => {
  const store = new SimStore()
  const heard = await opened(store)
  store.putSession(SESSION)
  expect(heard).toEqual([])
  store.holdsCommits()
  expect(store.step()).toBe(false)
  store.releasesCommits()
  expect(store.step()).toBe(true)
  expect(store.step()).toBe(false)
  expect(heard).toEqual(['committed 1'])
})

test('a commit can fail, and the next one does not', async () => {
  const store = new SimStore()
  const heard = await opened(store)
  store.failsNextCommit(new Error('disk full'))
  store.putSession(SESSION)
  store.step()
  store.putSession(SESSION)
  store.step()
  expect(heard).toEqual(['failed 1: disk full', 'committed 2'])
})

test('a simulation settles through promises, ends of turns, commits and the network, whichever causes which', async () => {
  const simulation = new Simulation('whole', new SimStore())
  const heard = await opened(simulation.store)
  const [server, client] = simulation.network.connect()
  const received: string[] = []
  server.start({ onData: (chunk) => received.push(Buffer.from(chunk).toString()), onDrain() {}, onClose() {} })
  client.start({ onData() {}, onDrain() {}, onClose() {} })
  const chain = async () => {
    for (let times = 0; times < 100; times++) await Promise.resolve()
    simulation.clock.defer(() => {
      simulation.store.putSession(SESSION)
      void Promise.resolve().then(() => client.write(Buffer.from('hello')))
    })
  }
  void chain()
  await simulation.settles()
  expect(heard).toEqual(['committed 1'])
  expect(received).toEqual(['hello'])
})

test('time moves timer by timer, and everything settles before the next', async () => {
  const simulation = new Simulation('whole', new SimStore())
  const { clock } = simulation
  const startMs = clock.now()
  const order: string[] = []
  clock.at(startMs + 10, () => {
    order.push('first timer')
    void Promise.resolve().then(() => order.push('what it caused'))
  })
  clock.at(startMs + 20, () => order.push('second timer'))
  await simulation.advances(15)
  expect(order).toEqual(['first timer', 'what it caused'])
  expect(clock.now()).toBe(startMs + 15)
  await simulation.advances(5)
  expect(order).toEqual(['first timer', 'what it caused', 'second timer'])
})

test('a timer that is due needs no time to pass', async () => {
  const simulation = new Simulation('whole', new SimStore())
  let fired = false
  simulation.clock.at(simulation.clock.now(), () => {
    fired = true
  })
  await simulation.settles()
  expect(fired).toBe(true)
})
