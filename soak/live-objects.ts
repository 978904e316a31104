/** The kinds of objects that a client leaves in the broker while it is there, and after it where it may. */
export const LIVE_OBJECTS = [
  'connections',
  'sessions',
  'subscriptions',
  'sharedSubscriptions',
  'filterNodes',
  'durableQueues',
  'logConsumers',
  'messages',
  'deliveries',
  'timers'
] as const

export type LiveObject = (typeof LIVE_OBJECTS)[number]
export type LiveObjects = Readonly<Record<LiveObject, number>>
