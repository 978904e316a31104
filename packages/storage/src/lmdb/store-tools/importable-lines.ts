import type { ExportLine } from './export-format.ts'
import { FieldMistake } from './import-fields.ts'
import { type ImportLine, readImportLine } from './import-lines.ts'
import type { Report } from './read-records.ts'

/**
 * Of the lines of an export, those that an import takes: damage may read as something that nobody can have stored, such as
 * a Topic Name without a character. What is left out is reported.
 */
export function* importableLines(lines: Iterable<ExportLine>, report: Report): Generator<ExportLine, void, undefined> {
  const clientIds = new Set<string>()
  for (const line of lines) {
    const imported = importedFrom(line, report)
    if (imported === undefined) continue
    if (imported.kind === 'session') clientIds.add(imported.session.clientId)
    const owner = ownerOf(imported)
    if (owner !== undefined && !clientIds.has(owner)) {
      report(`a line of the kind ${line.kind} is left out, as is session ${JSON.stringify(owner)}, which it belongs to`)
      continue
    }
    yield line
  }
}

function ownerOf(line: ImportLine): string | undefined {
  return line.kind === 'received' || line.kind === 'inflight' ? line.clientId : undefined
}

/** undefined, and reported: an import refuses the line. */
function importedFrom(line: ExportLine, report: Report): ImportLine | undefined {
  const value: unknown = JSON.parse(JSON.stringify(line))
  try {
    return readImportLine(value)
  } catch (error) {
    if (!(error instanceof FieldMistake)) throw error
    report(`a line of the kind ${line.kind} is left out, for an import would refuse it: ${error.message}`)
    return undefined
  }
}
