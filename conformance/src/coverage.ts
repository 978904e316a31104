import type { Exception, Role, Statement, Untested } from './tables.ts'
import { statementsNamed, type TestTitle } from './test-titles.ts'

/** What the statements, the tests and the list of untested statements say of each other, for one of the two ends. */
export interface Coverage {
  /** Statements that this end has to keep; a server also those whose violation it has to refuse. */
  readonly binding: readonly string[]
  readonly tested: readonly string[]
  /** One line for each disagreement. */
  readonly findings: readonly string[]
}

/**
 * What binds a role has a test of that role which names it, or stands in the list of untested statements, and not both.
 *
 * For a client that is what binds clients or both ends. For a server it is all but what `clientOnly` takes out: what a client must not do,
 * a server sees, and has to refuse.
 */
export function compareWithTests(
  role: Role,
  statements: readonly Statement[],
  clientOnly: readonly Exception[],
  untested: readonly Untested[],
  titles: readonly TestTitle[]
): Coverage {
  const ids = new Set(statements.map(({ id }) => id))
  const binding = bindingOn(role, statements, clientOnly)
  const listed = untested.filter((each) => each.role === role)
  const named = titles
    .filter((each) => each.role === role)
    .flatMap(({ title, path }) => statementsNamed(title).map((id) => ({ id, path })))
  const tested = new Set(named.map(({ id }) => id))
  return {
    binding,
    tested: binding.filter((id) => tested.has(id)),
    findings: [
      ...named.filter(({ id }) => !ids.has(id)).map(({ id, path }) => `${path}: a test names ${id}, which does not exist`),
      ...binding
        .filter((id) => !tested.has(id) && !listed.some((each) => each.id === id))
        .map((id) => `${id} has no test of a ${role} and is not listed as untested`),
      ...listed.filter(({ id }) => tested.has(id)).map(({ id }) => `${id} is listed as untested for a ${role}, but has a test`),
      ...listed
        .filter(({ id }) => !binding.includes(id))
        .map(({ id }) => `${id} is listed as untested for a ${role}, but need not be tested`),
      ...repeated(listed).map((id) => `${id} is listed twice`)
    ]
  }
}

/** The list of statements that no server can see broken names such statements only, and each once. */
export function checkClientOnly(statements: readonly Statement[], clientOnly: readonly Exception[]): string[] {
  const bindsById = new Map(statements.map(({ id, binds }) => [id, binds]))
  return [
    ...clientOnly
      .filter(({ id }) => bindsById.get(id) !== 'client')
      .map(({ id }) => `${id} is listed as binding clients only, but does not`),
    ...repeated(clientOnly).map((id) => `${id} is listed twice`)
  ]
}

function bindingOn(role: Role, statements: readonly Statement[], clientOnly: readonly Exception[]): string[] {
  const inner = new Set(clientOnly.map(({ id }) => id))
  return statements.filter(({ id, binds }) => (role === 'client' ? binds !== 'server' : !inner.has(id))).map(({ id }) => id)
}

function repeated(exceptions: readonly Exception[]): string[] {
  const ids = exceptions.map(({ id }) => id)
  return ids.filter((id, index) => ids.indexOf(id) !== index)
}
