import type { LogFields, Logger } from '@godwit/broker'
import type { LogConfiguration, LogLevel } from './configuration.ts'
import { type LogHead, jsonLine, textLine } from './log-lines.ts'

/** A logger whose level can be changed while it is in use. */
export interface ServerLogger extends Logger {
  setLevel(level: LogLevel): void
}

const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 }

/** Given each line, with its line break; an urgent one, a warning or an error, should not wait for others. */
export type WriteLine = (line: string, isUrgent: boolean) => void

/** Writes a line for each entry: text for people, or JSON for programs. */
export function createLogger({ level, format }: LogConfiguration, write: WriteLine): ServerLogger {
  return new LineLogger(level, format === 'json' ? jsonLine : textLine, write)
}

/**
 * A fleet that reconnects brings thousands of entries a second, so a line is made in one go and the time's text is kept for
 * its millisecond. Bench: `bench/README.md`, connect: with a general logger its lines were a sixth of what a connection costs.
 */
class LineLogger implements ServerLogger {
  readonly #line: (head: LogHead, fields: LogFields) => string
  readonly #write: WriteLine
  #least: number
  #timeMs = 0
  #time = ''

  constructor(level: LogLevel, line: (head: LogHead, fields: LogFields) => string, write: WriteLine) {
    this.#least = SEVERITY[level]
    this.#line = line
    this.#write = write
  }

  setLevel(level: LogLevel): void {
    this.#least = SEVERITY[level]
  }

  debug(fields: LogFields, message: string): void {
    this.#log('debug', fields, message)
  }

  info(fields: LogFields, message: string): void {
    this.#log('info', fields, message)
  }

  warn(fields: LogFields, message: string): void {
    this.#log('warn', fields, message)
  }

  error(fields: LogFields, message: string): void {
    this.#log('error', fields, message)
  }

  #log(level: LogLevel, fields: LogFields, message: string): void {
    if (SEVERITY[level] < this.#least) return
    const nowMs = Date.now()
    if (nowMs !== this.#timeMs) {
      this.#timeMs = nowMs
      this.#time = new Date(nowMs).toISOString()
    }
    this.#write(this.#line({ time: this.#time, level, message }, fields), SEVERITY[level] >= SEVERITY.warn)
  }
}
