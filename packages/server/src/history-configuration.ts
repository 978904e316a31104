import { HISTORY_BOUNDS_MAX, type HistoryBound, historyFilterProblem, type HistoryRule } from '@godwit/broker'
import { z } from 'zod'

const bound = (key: HistoryBound, purpose: string): z.ZodOptional<z.ZodInt> =>
  z.int().min(1).max(HISTORY_BOUNDS_MAX[key]).optional().describe(purpose).meta({ otherwise: 'any; one of the three is needed' })

const rule = z.strictObject({
  topicFilter: z
    .string()
    .refine((value) => historyFilterProblem(value) === undefined)
    .describe('Which topics: all that match, and clients may ask for any filter that it covers')
    .meta({ accepts: 'a topic filter that is not shared' }),
  seconds: bound('seconds', 'How long a message is kept'),
  messages: bound('messages', 'How many messages are kept'),
  bytes: bound('bytes', 'How many bytes of messages are kept, their topics included')
})

/** `history` of the configuration file. */
export const historyRules: z.ZodType<readonly HistoryRule[], readonly HistoryRule[]> = z
  .array(rule)
  .check(({ value, issues }) => {
    for (const [index, { topicFilter, seconds, messages, bytes }] of value.entries()) {
      if (seconds === undefined && messages === undefined && bytes === undefined) {
        issues.push({
          code: 'custom',
          input: undefined,
          path: [index, 'seconds'],
          message: 'at least one of seconds, messages, bytes'
        })
      }
      if (value.findIndex((other) => other.topicFilter === topicFilter) === index) continue
      const message = 'a topic filter that no other rule has'
      issues.push({ code: 'custom', input: topicFilter, path: [index, 'topicFilter'], message })
    }
  })
