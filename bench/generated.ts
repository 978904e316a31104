/**
 * Puts a text between the marks of a generated part of a Markdown document:
 *
 * ```
 * <!-- generated: NAME -->
 * ...
 * <!-- generated: end -->
 * ```
 * @throws RangeError if the document has no such part
 */
export function replaceGenerated(document: string, name: string, content: string): string {
  const open = `<!-- generated: ${name} -->\n`
  const close = '<!-- generated: end -->'
  const from = document.indexOf(open)
  const to = document.indexOf(close, from)
  if (from < 0 || to < 0) throw new RangeError(`no part is marked as generated: ${name}`)
  return `${document.slice(0, from + open.length)}${content.trimEnd()}\n${document.slice(to)}`
}
