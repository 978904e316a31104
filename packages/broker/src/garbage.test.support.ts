import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Has what nobody holds any more collected, so that each `WeakRef` to it is empty. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc')
  // What the present turn has looked at stays until it ends.
  await new Promise((resolve) => setImmediate(resolve))
  runInNewContext('gc()')
}
