import type { QoS } from '@godwit/protocol'
import type { Message } from './message.ts'

/** The messages of one Topic Filter, for one consumer: a loop, or the handler that `subscribe` was given. */
export interface Subscription extends AsyncIterable<Message, undefined>, AsyncDisposable {
  readonly filter: string
  /**
   * The QoS that the server granted, once it has; waits for a connection. Rejects with a `ClientError`, `refused` or `not-supported`, as does
   * the loop then.
   */
  readonly granted: Promise<QoS>
  /**
   * Ends it: the loop ends, messages that nobody has seen yet are given up (event `dropped`), and if it is the filter's last subscription here the
   * server is told. Resolves when the server has answered, or there is no connection; it is told at the next one then. Leaving the loop does this too.
   */
  unsubscribe(): Promise<void>
}
