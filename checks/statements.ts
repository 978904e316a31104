import type { TextFile } from './workspace.ts'

/** The identifiers of the numbered statements, by version of the standard. */
export type Statements = Readonly<Record<string, ReadonlySet<string>>>

/** Reads `mqtt-5.0.tsv`, `mqtt-3.1.1.tsv`: a header row, and identifiers in the first column. */
export function readStatements(files: readonly TextFile[]): Statements {
  const lists = files.flatMap(({ path, text }) => {
    const version = /\/mqtt-([\d.]+)\.tsv$/.exec(path)?.[1]
    const identifiers = text
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t', 1).join(''))
    return version === undefined ? [] : [[version, new Set(identifiers)] as const]
  })
  return Object.fromEntries(lists)
}

/**
 * Finds mentions of statements that do not exist, and mentions that leave out which of the two standards they mean: the documents
 * reuse numbers. One mention may name several statements of a version: `[5.0 MQTT-4.9.0-1, MQTT-4.9.0-2]`.
 */
export function checkStatements(files: readonly TextFile[], statements: Statements): string[] {
  return files.flatMap(({ path, text }) => {
    if (!/\.(ts|md)$/.test(path)) return []
    return text.split('\n').flatMap((line, index) =>
      [...line.matchAll(/MQTT-\d[\d.]*-\d+/g)].flatMap((mention) => {
        const [identifier] = mention
        const version = /(?:^|[^\d.])(5\.0|3\.1\.1) [^\]]*$/.exec(line.slice(0, mention.index))?.[1]
        if (version === undefined) return [`${path}:${index + 1}: ${identifier} of which version?`]
        return statements[version]?.has(identifier) === true ? [] : [`${path}:${index + 1}: ${version} has no ${identifier}`]
      })
    )
  })
}
