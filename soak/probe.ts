// Loaded into the program by `--import`, ahead of it: answers the soak's questions over Node's own channel between parent and
// child. The program knows nothing of it, and has no door for it.
import { queryObjects } from 'node:v8'
import { Connection } from '../packages/broker/src/connection.ts'
import { DurableQueue } from '../packages/broker/src/durable-queue.ts'
import { Delivery } from '../packages/broker/src/inflight.ts'
import { LogConsumer } from '../packages/broker/src/log-consumer.ts'
import { Message } from '../packages/broker/src/message.ts'
import { Session } from '../packages/broker/src/session.ts'
import { SharedSubscription } from '../packages/broker/src/shared-subscription.ts'
import { FilterNode } from '../packages/broker/src/subscription-tree.ts'
import { Subscription } from '../packages/broker/src/subscription.ts'
import { Timer } from '../packages/broker/src/timers.ts'
import { LIVE_OBJECTS, type LiveObject } from './live-objects.ts'

/** What is alive in the heap after a collection: not what the program believes to hold, but what it does. */
const classes = {
  connections: Connection,
  sessions: Session,
  subscriptions: Subscription,
  sharedSubscriptions: SharedSubscription,
  filterNodes: FilterNode,
  durableQueues: DurableQueue,
  logConsumers: LogConsumer,
  messages: Message,
  deliveries: Delivery,
  timers: Timer
}

function count(name: LiveObject): number {
  return queryObjects(classes[name], { format: 'count' })
}

process.on('message', (question: unknown) => {
  const names = LIVE_OBJECTS.filter((name) => question === 'everything' || question === name)
  const objects = Object.fromEntries(names.map((name) => [name, count(name)]))
  const { heapUsed, external, rss } = process.memoryUsage()
  process.send?.({ objects, heapUsedBytes: heapUsed, externalBytes: external, residentBytes: rss })
})
// Asking must not keep the program alive when it has been told to end.
process.channel?.unref()
