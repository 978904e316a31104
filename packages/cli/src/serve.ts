import {
  type Configuration,
  ConfigurationError,
  createLogger,
  loadConfiguration,
  type Server,
  type ServerLogger,
  startServer
} from '@godwit/server'
import { complain } from './complain.ts'
import { DropLog } from './drop-log.ts'
import { ExitCode } from './exit-code.ts'
import { LineOutput } from './line-output.ts'
import { overridesOf, type ServeFlags } from './serve-flags.ts'
import { stopSignal } from './signals.ts'
import { noticeText, startUpNotice } from './start-up-notice.ts'

/** Longer than the broker gives its clients to go. */
const CLOSE_TIMEOUT_MS = 10_000

/** `godwit serve`: a broker until SIGTERM or SIGINT. The notice goes to standard output, the log to standard error. */
export async function serve(flags: ServeFlags): Promise<ExitCode> {
  const sources = { file: flags.config, overrides: overridesOf(flags) }
  const stop = stopSignal()
  // One that comes early waits: without a listener it would be the end of the process.
  const started = Promise.withResolvers<() => Promise<void>>()
  process.on('SIGHUP', () => void started.promise.then((readAgain) => readAgain()))
  const log = new LineOutput(process.stderr)
  const notice = new LineOutput(process.stdout)
  let server: Server
  let logger: ServerLogger
  try {
    const configuration = await loadConfiguration(sources)
    logger = createLogger(configuration.log, (line, isUrgent) => log.write(line, isUrgent))
    endOnUnexpectedError(logger, log)
    server = await startServer(configuration, { logger })
  } catch (error) {
    log.flush()
    return complain(error)
  }
  log.flush()
  notice.write(noticeText(startUpNotice(server, performance.now()), server.configuration.log.format))
  notice.flush()
  const drops = new DropLog(server.broker, logger)
  drops.setLevel(server.configuration.log.level)
  started.resolve(() => reload(server, logger, drops, () => loadConfiguration(sources)))

  const signal = await stop
  logger.info({ signal }, 'stopping')
  const code = await close(server, logger)
  log.flush()
  // Whatever still holds the event loop, a lingering socket say, must not keep the process.
  process.exit(code)
}

async function close(server: Server, logger: ServerLogger): Promise<ExitCode> {
  const { promise: late, resolve } = Promise.withResolvers<'late'>()
  setTimeout(() => resolve('late'), CLOSE_TIMEOUT_MS)
  try {
    if ((await Promise.race([server.close(), late])) !== 'late') return ExitCode.Done
    logger.error({}, `the broker could not close within ${CLOSE_TIMEOUT_MS / 1000} seconds`)
  } catch (error) {
    logger.error({ err: error }, 'the broker could not close in order')
  }
  return ExitCode.Failed
}

/** SIGHUP: a mistake in the file is logged, and changes nothing. */
async function reload(server: Server, logger: ServerLogger, drops: DropLog, load: () => Promise<Configuration>): Promise<void> {
  try {
    const configuration = await load()
    const needRestart = server.reload(configuration)
    logger.setLevel(configuration.log.level)
    drops.setLevel(configuration.log.level)
    logger.info({}, 'configuration read again')
    if (needRestart.length > 0) logger.warn({ keys: needRestart }, 'changed keys that take effect at the next start')
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    for (const line of error.lines) logger.error({}, `configuration not changed: ${line}`)
  }
}

/** After an error that nobody expected the state of the process is unknown: it is logged with all we have, and the process ends. */
function endOnUnexpectedError(logger: ServerLogger, log: LineOutput): void {
  const end = (error: unknown): void => {
    logger.error({ err: error instanceof Error ? error : new Error(String(error)) }, 'unexpected error: the broker ends')
    log.flush()
    process.exit(ExitCode.Failed)
  }
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
}
