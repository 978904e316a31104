import { styleText } from 'node:util'
import type { Tell } from '../complain-of-client.ts'
import { Misuse } from '../misuse.ts'
import { jsonFormat } from './json-format.ts'
import type { Screen } from './payload-text.ts'
import { plainFormat } from './plain-format.ts'
import { prettyFormat } from './pretty-format.ts'
import type { ShownMessage } from './shown-message.ts'
import type { OutputFlags } from './sub-flags.ts'
import { templateFormat } from './template-format.ts'

export type Format = (message: ShownMessage) => Uint8Array

/** Where the output goes: `process.stdout` and `process.env`. */
export interface OutputPlace {
  readonly isTTY: boolean
  readonly environment: NodeJS.ProcessEnv
}

/**
 * How messages are shown, as flags say. Colours and cuts are for terminals alone.
 *
 * @param tell told of what cannot be shown as asked
 * @throws {Misuse} for flags that contradict each other
 */
export function formatOf(flags: OutputFlags, { isTTY, environment }: OutputPlace, tell: Tell): Format {
  const { verbose = false, pretty = false, json = false, format } = flags
  if (json && format !== undefined) throw new Misuse('either --json or --format, not both')
  const newline = flags.newline === false ? '' : '\n'
  if (json) return jsonFormat(pretty, newline)
  if (format !== undefined) return templateFormat(format, pretty, newline, tell)
  const hasColours = isTTY && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb'
  const marked =
    (style: 'bold' | 'dim') =>
    (text: string): string =>
      hasColours ? styleText(style, text, { validateStream: false }) : text
  const screen: Screen = { isTerminal: isTTY, note: marked('dim') }
  if (pretty) return prettyFormat(screen, { topic: marked('bold'), note: screen.note })
  return plainFormat(verbose, newline, screen)
}
