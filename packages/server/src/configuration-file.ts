import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml'
import { ConfigurationError } from './configuration-error.ts'
import type { ConfigurationPath } from './configuration-path.ts'

/** A configuration file as read: its values, and where each of them stands. */
export interface ConfigurationFile {
  readonly value: unknown
  /** `FILE:LINE:COLUMN` of what a path leads to, or of the nearest thing around it. */
  locate(path: ConfigurationPath, isKey: boolean): string
}

/**
 * Reads YAML 1.2, and with it JSON.
 * @param name how messages call the file
 * @throws ConfigurationError where it is not YAML
 */
export function parseConfigurationFile(name: string, text: string): ConfigurationFile {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false })
  const at = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset)
    return `${name}:${Math.max(line, 1)}:${Math.max(col, 1)}`
  }
  const [problem] = [...document.errors, ...document.warnings]
  if (problem !== undefined) {
    const reason = problem.message.replaceAll(/\s+/g, ' ')
    throw new ConfigurationError([`${at(problem.pos[0])}: this is not YAML: ${reason}`], { cause: problem })
  }
  return { value: valueOfDocument(name, document), locate: (path, isKey) => at(offsetOf(document, path, isKey)) }
}

function valueOfDocument(name: string, document: Document): unknown {
  try {
    return document.toJS() ?? {}
  } catch (cause) {
    // An alias without its anchor, or so many aliases that they would fill memory.
    throw new ConfigurationError([`${name}: this is not YAML: ${cause instanceof Error ? cause.message : String(cause)}`], {
      cause
    })
  }
}

/** Where a value begins, or a key; where there is none, what should contain it. */
function offsetOf(document: Document, path: ConfigurationPath, isKey: boolean): number {
  const container = document.getIn(path.slice(0, -1), true)
  const pair = isMap(container) ? container.items.find(({ key }) => keyText(key) === String(path.at(-1))) : undefined
  const value = document.getIn(path, true)
  if (!isKey && isNode(value) && value.range) return value.range[0]
  if (isNode(pair?.key) && pair.key.range) return pair.key.range[0]
  return path.length === 0 ? 0 : offsetOf(document, path.slice(0, -1), false)
}

function keyText(key: unknown): string {
  return isNode(key) && 'value' in key ? String(key.value) : String(key)
}
