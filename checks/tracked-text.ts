import { isTest, type TextFile } from './workspace.ts'

interface Unwanted {
  readonly what: string
  readonly pattern: RegExp
  readonly files: RegExp
}

const code = /\.(ts|tsx|js|mjs|cjs)$/
const any = /(?:)/

/** The brackets in the patterns keep this file from finding itself. */
const unwanted: readonly Unwanted[] = [
  {
    what: 'a path of one machine',
    pattern: /(?<![\w.~-])\/(?:[w]ork|[h]ome|[r]oot|[U]sers)\/[\w.-]+|\b[A-Z]:\\[U]sers\\/,
    files: any
  },
  {
    what: "a registry's address",
    pattern: /\b(?:[r]egistry\.[\w-]+\.\w+|[\w.-]*(?:[a]rtifactory|[v]erdaccio|[n]exus)[\w-]*\.[\w.-]+)/,
    files: any
  },
  { what: 'a silenced compiler', pattern: /@ts-(?:[i]gnore|[n]ocheck|[e]xpect-error)/, files: code },
  { what: 'a silenced linter', pattern: /\b(?:[e]slint|[o]xlint)-disable|[p]rettier-ignore|[o]xfmt-ignore/, files: code },
  { what: 'a forced cast', pattern: /^(?!\s*(?:\*|\/[/*])).*\b(?:as [a]ny|as [u]nknown as)\b/, files: code },
  { what: 'a focused test', pattern: /\.[o]nly\(/, files: code },
  {
    what: 'a skipped test without a condition',
    pattern: /^\s*(?:test|it|describe|scenario)\.(?:[s]kip\((?!['"`]needs )|[t]odo\()/,
    files: code
  },
  { what: 'a note of unfinished work', pattern: /\b(?:TO[D]O|FIX[M]E|X{3})\b|\b[n]ot implemented\b/, files: code },
  { what: 'a mark of a merge', pattern: /^(?:<{7} |>{7} |={7}$)/, files: any },
  { what: 'white space at the end of a line', pattern: /[ \t]+$/, files: any },
  { what: 'a tab where spaces indent', pattern: /^ *\t/, files: /\.(ts|tsx|js|mjs|cjs|json|md|ya?ml)$/ },
  { what: 'a carriage return', pattern: /\r/, files: any }
]

/** Finds what must not be committed. Returns `path:line: what` for each. */
export function checkText(files: readonly TextFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const patterns = unwanted.filter((each) => each.files.test(path))
    const found = text
      .split('\n')
      .flatMap((line, index) =>
        patterns.filter(({ pattern }) => pattern.test(line)).map(({ what }) => `${path}:${index + 1}: ${what}`)
      )
    return text === '' || text.endsWith('\n') ? found : [...found, `${path}: no newline at the end`]
  })
}

/** Why a file may be longer than the rest; a file that has become shorter must leave the list. */
export type LongFiles = Readonly<Record<string, string>>

/** Sources past 500 lines usually hold a second idea; tests may run to 800. */
export function checkLength(files: readonly TextFile[], longFiles: LongFiles): string[] {
  const long = files
    .filter(({ path }) => code.test(path))
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1, linesMax: isTest(path) ? 800 : 500 }))
    .filter(({ lines, linesMax }) => lines > linesMax)
  const unlisted = long.filter(({ path }) => longFiles[path] === undefined)
  const stale = Object.keys(longFiles).filter((listed) => !long.some(({ path }) => path === listed))
  return [
    ...unlisted.map(
      ({ path, lines, linesMax }) => `${path}: ${lines} lines, more than ${linesMax}: does a second idea live in it?`
    ),
    ...stale.map((path) => `${path}: no longer long: strike it off`)
  ]
}
