import type { Logger } from '@godwit/broker'
import { pino } from 'pino'
import type { LogConfiguration, LogLevel } from './configuration.ts'
import { textLine } from './text-line.ts'

/** A logger whose level can be changed while it is in use. */
export interface ServerLogger extends Logger {
  setLevel(level: LogLevel): void
}

/**
 * Writes a line for each entry: text for people, or JSON for programs.
 * @param write given each line, with its line break
 */
export function createLogger({ level, format }: LogConfiguration, write: (line: string) => void): ServerLogger {
  const destination = { write: format === 'json' ? write : (line: string) => write(textLine(line)) }
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) }
    },
    destination
  )
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    setLevel: (next) => {
      logger.level = next
    }
  }
}
