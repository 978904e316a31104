import { CONNECTION_GROUPS, TELL_GROUP } from '../connection/connection-flags.ts'
import type { Example, FlagGroup } from '../flags.ts'
import { MESSAGE_GROUPS, type MessageFlags } from '../pub/pub-flags.ts'
import { OUTPUT_GROUP, type OutputFlags } from '../sub/sub-flags.ts'

export const REQUEST_GROUPS: readonly FlagGroup[] = [
  ...MESSAGE_GROUPS,
  {
    title: 'The reply',
    flags: [
      { flag: '-W, --timeout <seconds>', description: 'How long to wait for it: then status 27 (default: 30)' },
      {
        flag: '--response-topic-prefix <topic>',
        description: 'Where it is to go, should access rules ask for that (default: what the server says, else godwit/reply)'
      }
    ]
  },
  OUTPUT_GROUP,
  TELL_GROUP,
  ...CONNECTION_GROUPS
]

export const REQUEST_EXAMPLES: readonly Example[] = [
  { what: 'Ask, and print the reply', command: 'godwit request svc/price \'{"item": 7}\'' },
  {
    what: 'Wait two seconds at most; status 27: no reply, 6: nobody there to reply',
    command: 'godwit request -W 2 pump/7/status now'
  },
  { what: 'The reply with its properties', command: 'godwit request --json -f question.json svc/answer' }
]

export interface RequestFlags extends MessageFlags, OutputFlags {
  readonly responseTopicPrefix?: string | undefined
}
