import { join } from 'node:path'
import { leaveSessions, publishAll } from '../backlog/load.ts'
import type { NumbersTable } from '../numbers-file.ts'
import { MeasuredBroker, type Memory } from '../process/measured-broker.ts'
import { Clients, concurrently } from './clients.ts'

const CONNECTIONS = 5_000
const SUBSCRIBERS = 100
const SUBSCRIPTIONS = 100_000
const MESSAGES = 200_000
const OFFLINE = 20
const PAYLOAD = new Uint8Array(64)
/** So much of each kind goes ahead, as a part of what is measured: code is compiled then, and tables have grown. */
const WARM_UP = 0.2

type Step = (broker: MeasuredBroker, from: number, to: number) => Promise<void>

interface Item {
  readonly title: string
  readonly count: number
  /** Returns what adds the items numbered `from` up to `to`. */
  readonly begin: (broker: MeasuredBroker) => Promise<Step>
  readonly isStored?: boolean
}

const ITEMS: readonly Item[] = [
  {
    title: 'connection, idle, without a subscription',
    count: CONNECTIONS,
    begin: async ({ port }) => {
      const clients = new Clients(port)
      return async (_, from, to) => void (await clients.connect(to - from))
    }
  },
  {
    title: 'connection, idle, with one subscription',
    count: CONNECTIONS,
    begin: async ({ port }) => {
      const clients = new Clients(port)
      return async (_, from, to) => {
        const links = await clients.connect(to - from)
        await concurrently(links.length, async (index) => {
          const link = links[index]
          if (link !== undefined) await clients.subscribe(link, [`devices/${from + index}/commands`])
        })
      }
    }
  },
  subscriptions('exact', (index) => `sites/${index % 100}/devices/${index}/state`),
  subscriptions('+', (index) => `sites/${index % 100}/devices/${index}/+`),
  subscriptions('#', (index) => `sites/${index % 100}/devices/${index}/#`),
  subscriptions('all of them to one filter', () => 'news', CONNECTIONS),
  {
    title: `message of ${PAYLOAD.length} bytes, queued for an offline session`,
    count: MESSAGES,
    isStored: true,
    begin: async ({ port }) => {
      await leaveSessions(port, OFFLINE, (session) => `queued/${session}`)
      return async (_, from, to) => {
        await publishAll(port, to - from, (message) => `queued/${message % OFFLINE}`, PAYLOAD, false)
      }
    }
  },
  {
    title: `message of ${PAYLOAD.length} bytes, retained`,
    count: MESSAGES,
    isStored: true,
    begin: async ({ port }) => {
      return async (_, from, to) => {
        await publishAll(port, to - from, (message) => `retained/${from + message}/value`, PAYLOAD, true)
      }
    }
  }
]

function subscriptions(kind: string, filterOf: (index: number) => string, subscribers = SUBSCRIBERS): Item {
  return {
    title: `subscription, ${kind}`,
    count: subscribers === SUBSCRIBERS ? SUBSCRIPTIONS : subscribers,
    begin: async ({ port }) => {
      const clients = new Clients(port)
      const links = await clients.connect(subscribers)
      return async (_, from, to) => {
        await concurrently(links.length, async (index) => {
          const link = links[index]
          const own = Array.from({ length: to - from }, (_, each) => from + each).filter((each) => each % subscribers === index)
          if (link !== undefined) await clients.subscribe(link, own.map(filterOf))
        })
      }
    }
  }
}

/** What one of each kind costs the program to hold, in bytes. */
export async function measureItems(folder: string, report: (title: string) => void): Promise<NumbersTable> {
  const rows: Record<string, Record<string, number>> = {}
  for (const [index, item] of ITEMS.entries()) {
    rows[item.title] = await measureItem(item, join(folder, `items-${index}`))
    report(item.title)
  }
  return rows
}

async function measureItem({ count, begin, isStored = false }: Item, data: string): Promise<Record<string, number>> {
  const broker = await MeasuredBroker.start({ data, collects: true })
  const add = await begin(broker)
  const ahead = Math.ceil(count * WARM_UP)
  await add(broker, 0, ahead)
  const before = await settled(broker)
  const bytesBefore = broker.fileBytes
  await add(broker, ahead, count)
  const after = await settled(broker)
  const each = (bytes: number): number => bytes / (count - ahead)
  const figures = {
    heap: each(after.heapUsed - before.heapUsed),
    buffers: each(after.external - before.external),
    resident: each(after.anonymous - before.anonymous)
  }
  const disk = each(broker.fileBytes - bytesBefore)
  await broker.stop()
  return isStored ? { ...figures, disk } : figures
}

/** After the first collection there may be more to give back to the system. */
async function settled(broker: MeasuredBroker): Promise<Memory> {
  await broker.memory()
  return broker.memory()
}
