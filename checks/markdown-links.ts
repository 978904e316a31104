import { posix } from 'node:path'
import type { TextFile } from './workspace.ts'

/**
 * Follows the links of every Markdown file to the repository's own files and headings. Addresses elsewhere are not asked for:
 * a check that needs the network fails when the network does. Returns `path:line: ...` for each link that leads nowhere.
 */
export function checkLinks(files: readonly TextFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const directories = new Set(files.flatMap(({ path }) => ancestors(path)))
  return files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap((file) =>
      links(file.text).flatMap(({ line, target }) => {
        const [path = '', heading] = target.split('#', 2)
        const at =
          path === '' ? file.path : posix.normalize(posix.join(posix.dirname(file.path), decodeURI(path))).replace(/\/$/, '')
        const linked = byPath.get(at)
        if (linked === undefined && !directories.has(at)) return [`${file.path}:${line}: ${target} leads nowhere`]
        if (heading === undefined || linked === undefined || !at.endsWith('.md')) return []
        return headings(linked.text).has(heading) ? [] : [`${file.path}:${line}: ${at} has no heading #${heading}`]
      })
    )
}

function ancestors(path: string): string[] {
  const parts = path.split('/')
  return parts.map((_, length) => parts.slice(0, length).join('/') || '.')
}

/** Inline links, pictures and reference definitions, outside of code, that lead to a file or a heading. */
function links(text: string): { line: number; target: string }[] {
  return prose(text).flatMap((content, index) =>
    [...content.matchAll(/\]\(\s*<?([^)\s>]+)|^\s*\[[^\]]+\]:\s+<?([^\s>]+)/g)]
      .map((match) => match[1] ?? match[2] ?? '')
      .filter((target) => !/^[a-z][a-z+.-]*:|^\/\//i.test(target))
      .map((target) => ({ line: index + 1, target }))
  )
}

/** The anchors that GitHub and npm give to headings; a repeated heading gets `-1`, `-2`, ... */
function headings(text: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const line of prose(text)) {
    const title = /^#{1,6}\s+(.+?)\s*#*$/.exec(line)?.[1]
    if (title === undefined) continue
    const anchor = title
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-')
    let unique = anchor
    for (let repeat = 1; anchors.has(unique); repeat++) unique = `${anchor}-${repeat}`
    anchors.add(unique)
  }
  return anchors
}

/** The lines, with code blocks blanked and code spans cut out. */
function prose(text: string): string[] {
  let fence = ''
  return text.split('\n').map((line) => {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1] ?? ''
    if (fence !== '') {
      if (mark.startsWith(fence)) fence = ''
      return ''
    }
    fence = mark
    return mark === '' ? line.replace(/(`+)(?!`).*?\1/g, (span) => (line.startsWith('#') ? span.replaceAll('`', '') : '')) : ''
  })
}
