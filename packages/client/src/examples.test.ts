import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBroker } from '@godwit/broker'
import { expect, onTestFinished, test, vi } from 'vitest'
import { BreakableLink } from './testing/breakable-link.ts'
import { Program } from './testing/program.ts'
import { reading } from './testing/reading.ts'

const EXAMPLES = join(import.meta.dirname, '../../../examples')

// A process takes its time to start on a machine that is busy with the other tests.
vi.setConfig({ testTimeout: 60_000 })

/** A broker that ends with its test. */
async function listening(): Promise<{ readonly url: string; readonly port: number }> {
  const broker = await createBroker()
  onTestFinished(() => broker.close())
  return await broker.listen({ kind: 'tcp', port: 0 })
}

function run(example: string, ...args: readonly string[]): Program {
  const program = new Program(join(EXAMPLES, example), ...args)
  onTestFinished(async () => void (await program.ends('SIGKILL')))
  return program
}

test('sensor-with-outbox: what was stored before it was killed arrives when it is started again, first and in order', async () => {
  const { url, port } = await listening()
  const measurements = await reading(url, 'greenhouse/#')
  const link = await BreakableLink.to(port)
  onTestFinished(() => link.close())
  link.breaks()
  const folder = mkdtempSync(join(tmpdir(), 'godwit-sensor-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const start = (): Program => run('sensor-with-outbox/main.ts', `mqtt://127.0.0.1:${link.port}`, folder, '20')

  const first = start()
  const stored = await first.prints(/^stored /, 5)
  await first.ends('SIGKILL')
  link.isMended()
  const second = start()
  await second.prints(/^\d+ wait from before$/)
  const arrived = await measurements(stored.length + 1)
  expect(await second.ends('SIGTERM')).toBe(0)
  expect(second.lines.at(-1)).toBe('0 wait for the next start')
  for (const [index, line] of stored.entries()) expect(arrived[index]).toContain(line.slice('stored '.length))
})

test('worker-pool: every order is done, also when a worker is killed in the middle', async () => {
  const { url } = await listening()
  const workers = ['ann', 'bob', 'eve'].map((name) => run('worker-pool/worker.ts', url, name))
  await Promise.all(workers.map((worker) => worker.prints(/ is ready$/)))
  const orders = run('worker-pool/place-orders.ts', url, '30')
  expect(await orders.ends()).toBe(0)
  const [killed, ...others] = workers
  await killed?.prints(/ did /, 2)
  await killed?.ends('SIGKILL')
  const done = (): Set<string> =>
    new Set(workers.flatMap(({ lines }) => lines.flatMap((line) => /orders\/\d+$/.exec(line) ?? [])))
  await vi.waitFor(() => expect(done().size).toBe(30), { timeout: 30_000 })
  expect(await Promise.all(others.map((worker) => worker.ends('SIGTERM')))).toEqual([0, 0])
  expect(others.every(({ lines }) => lines.length > 1)).toBe(true)
})

test('request-response: what is asked is answered, and who asks nobody is told', async () => {
  const { url } = await listening()
  const unanswered = run('request-response/ask.ts', url, 'tea')
  expect(await unanswered.ends()).toBe(1)
  expect(unanswered.lines).toEqual(['tea: Nobody has subscribed to "svc/price"'])

  const service = run('request-response/service.ts', url)
  await service.prints(/^ready$/)
  const ask = run('request-response/ask.ts', url, 'tea', 'gold')
  expect(await ask.ends()).toBe(0)
  expect(ask.lines).toEqual(['tea: {"price":3.2}', 'gold: {"error":"there is no gold"}'])
  expect(await service.ends('SIGTERM')).toBe(0)
})
