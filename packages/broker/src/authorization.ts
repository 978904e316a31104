import type { MaybePromise } from '@godwit/storage'
import type { AccessRequest, ClientIdentity } from './access.ts'
import type { Engine } from './engine.ts'
import { isPromise } from './maybe-promise.ts'
import { SYS_PREFIX, SYS_ROOT } from './sys-values.ts'

/** `failed`: the hook threw or rejected, which refuses. */
export type Verdict = 'allowed' | 'denied' | 'failed'

/** Whether a client may do something. */
export function authorize(engine: Engine, client: ClientIdentity, request: AccessRequest): MaybePromise<Verdict> {
  // The broker speaks for itself there; clients only listen ([5.0 4.7.2]).
  if (request.action === 'publish' && isReserved(request.topicName)) return 'denied'
  if (engine.access.authorize === undefined) return 'allowed'
  try {
    const isAllowed = engine.access.authorize(client, request)
    if (!isPromise(isAllowed)) return verdictOf(isAllowed)
    return isAllowed.then(verdictOf, (error: unknown) => refuse(engine, client, error))
  } catch (error) {
    return refuse(engine, client, error)
  }
}

function isReserved(topicName: string): boolean {
  return topicName.startsWith(SYS_PREFIX) || topicName === SYS_ROOT
}

function verdictOf(isAllowed: boolean): Verdict {
  return isAllowed ? 'allowed' : 'denied'
}

function refuse(engine: Engine, client: ClientIdentity, error: unknown): Verdict {
  engine.logger.error({ err: error, clientId: client.clientId }, 'the authorize hook failed; the request is refused')
  return 'failed'
}
