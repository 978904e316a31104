import { OVERFLOW_ACTIONS, OVERFLOW_BOUNDS, type OverflowAction, type OverflowRule, problemOfRule } from '@godwit/broker'
import { z } from 'zod'
import type { ListenerConfiguration } from './configuration.ts'

/** What overflow rules call the listener of the HTTP port. */
export const HTTP_LISTENER = 'http'

const actions = Object.keys(OVERFLOW_ACTIONS).filter((name): name is OverflowAction => Object.hasOwn(OVERFLOW_ACTIONS, name))

const bound = (key: keyof typeof OVERFLOW_BOUNDS, purpose: string, otherwise: string): z.ZodOptional<z.ZodInt> =>
  z.int().min(OVERFLOW_BOUNDS[key].min).max(OVERFLOW_BOUNDS[key].max).optional().describe(purpose).meta({ otherwise })

const rule = z.strictObject({
  topicFilter: z
    .string()
    .default('#')
    .describe('Whose subscriptions: it has to cover theirs, as `alarms/#` covers `alarms/+/fire`')
    .meta({ accepts: 'a topic filter' }),
  listeners: z
    .array(z.string().meta({ accepts: 'the name of a listener, or http' }))
    .optional()
    .describe('Whose clients: those that came last by one of these listeners')
    .meta({ otherwise: 'all, and shared subscriptions' }),
  messagesMax: bound('messagesMax', 'Messages that may wait', '`limits.queuedMessagesMax`'),
  bytesMax: bound('bytesMax', 'Bytes of messages that may wait', '`limits.queuedBytesMax`'),
  ageSecondsMax: bound('ageSecondsMax', 'Seconds since the oldest message that waits was published', 'any'),
  action: z.enum(actions).describe('What to do past a bound: see overflow.md'),
  deadLetterTopic: z
    .string()
    .optional()
    .describe('Where to with dead letters; {topic} stands for the topic of each')
    .meta({ accepts: 'a topic name', otherwise: '`$dead-letter/{topic}`' })
})

/** `overflow` of the configuration file. */
export const overflowRules: z.ZodType<readonly OverflowRule[], readonly OverflowRule[]> = z
  .array(rule)
  .check(({ value, issues }) => {
    for (const [index, each] of value.entries()) {
      const problem = problemOfRule(each)
      if (problem === undefined) continue
      issues.push({ code: 'custom', input: each[problem.key], path: [index, problem.key], message: problem.accepted })
    }
  })

/** `name` of a listener. */
export const listenerName: z.ZodOptional<z.ZodString> = z
  .string()
  .min(1)
  .optional()
  .describe('What overflow rules call the listener')
  .meta({ accepts: 'a name', otherwise: 'its kind and port, such as tcp-1883; unix' })

/** What overflow rules call a listener. Without a name of its own it may share it with another. */
export function nameOfListener(listener: ListenerConfiguration): string {
  return listener.name ?? (listener.kind === 'unix' ? 'unix' : `${listener.kind}-${listener.port}`)
}

/** A name that is wrong: where, and what is accepted there. */
export interface WrongName {
  readonly path: (string | number)[]
  readonly name: string
  readonly accepted: string
}

/** Names that two listeners were given, and those in rules that no listener has. */
export function wrongNames(listeners: readonly ListenerConfiguration[], rules: readonly OverflowRule[]): WrongName[] {
  const names = [...listeners.map(nameOfListener), HTTP_LISTENER]
  const wrong: WrongName[] = []
  for (const [index, { name }] of listeners.entries()) {
    if (name === undefined || names.every((other, at) => other !== name || at === index)) continue
    wrong.push({ path: ['listeners', index, 'name'], name, accepted: 'a name that no other listener has' })
  }
  for (const [index, { listeners: wanted = [] }] of rules.entries()) {
    for (const [at, name] of wanted.entries()) {
      if (names.includes(name)) continue
      wrong.push({ path: ['overflow', index, 'listeners', at], name, accepted: [...new Set(names)].join(', ') })
    }
  }
  return wrong
}
