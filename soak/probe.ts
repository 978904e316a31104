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
import type { LiveObjects, ProcessState } from './process-state.ts'

/** What is alive in the heap after a collection: not what the program believes to hold, but what it does. */
function liveObjects(): LiveObjects {
  return {
    connections: queryObjects(Connection, { format: 'count' }),
    sessions: queryObjects(Session, { format: 'count' }),
    subscriptions: queryObjects(Subscription, { format: 'count' }),
    sharedSubscriptions: queryObjects(SharedSubscription, { format: 'count' }),
    filterNodes: queryObjects(FilterNode, { format: 'count' }),
    durableQueues: queryObjects(DurableQueue, { format: 'count' }),
    logConsumers: queryObjects(LogConsumer, { format: 'count' }),
    messages: queryObjects(Message, { format: 'count' }),
    deliveries: queryObjects(Delivery, { format: 'count' }),
    timers: queryObjects(Timer, { format: 'count' })
  }
}

process.on('message', () => {
  const objects = liveObjects()
  const { heapUsed, external, rss } = process.memoryUsage()
  const state: ProcessState = { objects, heapUsedBytes: heapUsed, externalBytes: external, residentBytes: rss }
  process.send?.(state)
})
// Asking must not keep the program alive when it has been told to end.
process.channel?.unref()
