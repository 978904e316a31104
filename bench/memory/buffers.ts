import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { PacketType } from '@godwit/protocol'
import { publish } from '@godwit/testkit'
import { withinLimit } from '../../interop/mailbox.ts'
import type { NumbersTable } from '../numbers-file.ts'
import { MeasuredBroker } from '../process/measured-broker.ts'
import { Clients, concurrently } from './clients.ts'

const SUBSCRIBERS = 500
/** Small enough to be copied next to one another for each receiver. */
const PAYLOAD = new Uint8Array(2048)
const MESSAGES_PER_BURST = 20
const BURSTS = 30
/** Longer than the program keeps what it might need again. */
const QUIET_MS = 15_000

/** What is in use before, amid, right after, and a while after bursts of messages to many clients; in megabytes. */
export async function measureBuffers(folder: string): Promise<NumbersTable> {
  const broker = await MeasuredBroker.start({ data: join(folder, 'buffers'), collects: true })
  let missing = 0
  let burst: PromiseWithResolvers<undefined> = Promise.withResolvers()
  const clients = new Clients(broker.port, ({ type }) => {
    if (type === PacketType.Publish && --missing === 0) burst.resolve(undefined)
  })
  const links = await clients.connect(SUBSCRIBERS)
  await concurrently(SUBSCRIBERS, async (index) => {
    const link = links[index]
    if (link !== undefined) await clients.subscribe(link, ['burst'])
  })
  const [publisher] = await clients.connect(1)
  const rows: Record<string, Record<string, number>> = {}
  const look = async (title: string): Promise<void> => {
    const { heapUsed, external, anonymous } = await broker.memory()
    rows[title] = { heap: heapUsed / 1e6, buffers: external / 1e6, resident: anonymous / 1e6 }
  }
  await look('before')
  for (let count = 1; count <= BURSTS; count++) {
    missing = SUBSCRIBERS * MESSAGES_PER_BURST
    burst = Promise.withResolvers()
    for (let message = 0; message < MESSAGES_PER_BURST; message++) publisher?.send(publish('burst', PAYLOAD))
    if (count === BURSTS) await look('amid the last burst')
    await withinLimit(burst.promise, 'the messages of a burst', 60_000)
  }
  await look('right after')
  await delay(QUIET_MS)
  await look(`${QUIET_MS / 1000} s after`)
  clients.cut()
  await broker.stop()
  return rows
}
