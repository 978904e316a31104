import { ExitCode } from './exit-code.ts'

/** npm passes on to us what the terminal has sent to us already: both are the same request. */
const SAME_REQUEST_MS = 500

/** Resolves with the first SIGTERM or SIGINT. A later one ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let firstAtMs: number | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    if (firstAtMs !== undefined && performance.now() - firstAtMs > SAME_REQUEST_MS) process.exit(ExitCode.Failed)
    firstAtMs ??= performance.now()
    resolve(signal)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  return promise
}
