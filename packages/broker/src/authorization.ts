import type { MaybePromise } from '@godwit/storage'
import type { AccessRequest, ClientIdentity } from './access.ts'
import type { Engine } from './engine.ts'
import { isPromise } from './maybe-promise.ts'

/** The broker speaks for itself under this topic; clients only listen. */
const RESERVED_TOPICS = '$SYS/'

/** Whether a client may do something; a hook that throws or rejects refuses. */
export function authorize(engine: Engine, client: ClientIdentity, request: AccessRequest): MaybePromise<boolean> {
  if (request.action === 'publish' && request.topicName.startsWith(RESERVED_TOPICS)) return false
  if (engine.access.authorize === undefined) return true
  try {
    const verdict = engine.access.authorize(client, request)
    return isPromise(verdict) ? verdict.catch((error: unknown) => refuse(engine, client, error)) : verdict
  } catch (error) {
    return refuse(engine, client, error)
  }
}

function refuse(engine: Engine, client: ClientIdentity, error: unknown): false {
  engine.logger.error({ err: error, clientId: client.clientId }, 'the authorize hook failed; the request is refused')
  return false
}
