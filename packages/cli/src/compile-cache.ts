import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/**
 * Where compiled code is kept between starts: a directory of the user's own. Node's default is one that all users of the
 * machine share, and what lies there is executed. Undefined: nowhere, or where NODE_COMPILE_CACHE has told Node already.
 */
export function compileCacheDirectory(environment: NodeJS.ProcessEnv): string | undefined {
  if (environment['NODE_COMPILE_CACHE'] !== undefined) return undefined
  const { XDG_CACHE_HOME: cache = '' } = environment
  if (isAbsolute(cache)) return join(cache, 'godwit')
  try {
    return join(homedir(), '.cache', 'godwit')
  } catch {
    // A container's user may have no home.
    return undefined
  }
}
