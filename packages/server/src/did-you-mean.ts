/** The candidate that a mistyped word most likely meant; undefined: none is near. */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  const begun = word.length < 4 ? [] : candidates.filter((candidate) => candidate.startsWith(word) || word.startsWith(candidate))
  const [only, ...others] = begun
  if (only !== undefined && others.length === 0) return only
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)
  const [nearest] = ranked
  return nearest !== undefined && nearest.distance <= Math.max(1, word.length / 3) ? nearest.candidate : undefined
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
function editDistance(from: string, to: string): number {
  let beforePrevious: readonly number[] = []
  let previous: readonly number[] = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replace = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      const insertOrDelete = Math.min(previous[column] ?? 0, current[column - 1] ?? 0) + 1
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      const swap = isSwap ? (beforePrevious[column - 2] ?? 0) + 1 : Infinity
      current.push(Math.min(replace, insertOrDelete, swap))
    }
    beforePrevious = previous
    previous = current
  }
  return previous[to.length] ?? 0
}
