import type { ListenOptions as NodeListenOptions, Server } from 'node:net'
import { bindError } from './listen-error.ts'
import type { CommonListenOptions } from './listen-options.ts'
import { NO_ADDRESS } from './peer-address.ts'

/** Resolves when the server listens; rejects with a ListenError that says why it cannot. */
export function bind(
  server: Server,
  where: NodeListenOptions,
  url: string,
  onError: CommonListenOptions['onError']
): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = (error: Error): void => reject(bindError(url, error, where.path))
    server.once('error', refused)
    server.once('listening', () => {
      server.off('error', refused)
      // Without a listener, one failed accept (no file descriptors left, say) would end the process.
      server.on('error', (error) => onError?.(error, NO_ADDRESS))
      resolve()
    })
    try {
      server.listen(where)
    } catch (error) {
      refused(error instanceof Error ? error : new Error(String(error)))
    }
  })
}
