import type { Exception, Statement } from './tables.ts'
import { statementsNamed, type TestTitle } from './test-titles.ts'

/** What the statements, the tests and the list of untested statements say of each other. */
export interface Coverage {
  /** Statements that a broker has to keep, or whose violation it has to refuse. */
  readonly binding: readonly string[]
  readonly tested: readonly string[]
  /** One line for each disagreement. */
  readonly findings: readonly string[]
}

/**
 * Each statement that binds a server has a test that names it, or stands in the list of untested ones, and not both. Of
 * those that bind only clients, all count but the ones that `clientOnly` takes out: a server sees the violation, and has
 * to refuse it.
 */
export function compareWithTests(
  statements: readonly Statement[],
  clientOnly: readonly Exception[],
  untested: readonly Exception[],
  titles: readonly TestTitle[]
): Coverage {
  const bindsById = new Map(statements.map(({ id, binds }) => [id, binds]))
  const inner = new Set(clientOnly.map(({ id }) => id))
  const listed = new Set(untested.map(({ id }) => id))
  const binding = statements.map(({ id }) => id).filter((id) => !inner.has(id))
  const named = titles.flatMap(({ title, path }) => statementsNamed(title).map((id) => ({ id, path })))
  const tested = new Set(named.map(({ id }) => id))
  return {
    binding,
    tested: binding.filter((id) => tested.has(id)),
    findings: [
      ...named.filter(({ id }) => !bindsById.has(id)).map(({ id, path }) => `${path}: a test names ${id}, which does not exist`),
      ...binding
        .filter((id) => !tested.has(id) && !listed.has(id))
        .map((id) => `${id} has no test and is not listed as untested`),
      ...untested.filter(({ id }) => tested.has(id)).map(({ id }) => `${id} is listed as untested, but has a test`),
      ...untested
        .filter(({ id }) => !binding.includes(id))
        .map(({ id }) => `${id} is listed as untested, but need not be tested`),
      ...clientOnly
        .filter(({ id }) => bindsById.get(id) !== 'client')
        .map(({ id }) => `${id} is listed as binding clients only, but does not`),
      ...repeated([...untested, ...clientOnly]).map((id) => `${id} is listed twice`)
    ]
  }
}

function repeated(exceptions: readonly Exception[]): string[] {
  const ids = exceptions.map(({ id }) => id)
  return ids.filter((id, index) => ids.indexOf(id) !== index)
}
