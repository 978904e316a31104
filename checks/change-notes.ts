import type { TextFile } from './workspace.ts'

const kinds: ReadonlySet<string> = new Set(['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'])

/** A note in `changes/`: its kind on the first line, an empty line, and what a user will notice. */
export function checkChangeNotes(files: readonly TextFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    if (!path.startsWith('changes/') || path === 'changes/README.md') return []
    const [kind = '', empty, ...rest] = text.split('\n')
    if (!/^changes\/[a-z0-9]+(-[a-z0-9]+)*\.md$/.test(path)) return [`${path}: name it after the change, in kebab-case, with .md`]
    if (!kinds.has(kind)) return [`${path}: its first line is one of ${[...kinds].join(', ')}, not '${kind}'`]
    return empty === '' && rest.join('').trim() !== '' ? [] : [`${path}: an empty line and a text follow the first line`]
  })
}
