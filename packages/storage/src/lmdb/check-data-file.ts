import { DataPages, type Tree } from './data-pages.ts'
import { TABLES } from './layout.ts'

/** A file of so many pages is looked at as a whole in some hundredths of a second. */
const SMALL_PAGES = 8_192n

/**
 * Looks at the pages of a data file through which LMDB finds everything else: the meta pages, all branch pages, and the
 * leaves of the trees that are read when a store is opened. Takes time in the order of a hundredth of the file, and none
 * for what the messages' pages hold, unless the file is small.
 *
 * @param extent `whole`: at all leaves, so that everything can be read
 * @throws StoreError if they cannot be what was written; the file is not changed
 */
export function checkDataFile(path: string, extent: 'opening' | 'whole' = 'opening'): void {
  const pages = new DataPages(path, (error) => {
    throw error
  })
  try {
    const latest = pages.latest()
    const tables = pages.tables(latest)
    const isWhole = extent === 'whole' || latest.lastPage < SMALL_PAGES
    for (const name of TABLES) {
      const tree = tables.get(name)
      if (tree !== undefined) look(pages, `the table ${JSON.stringify(name)}`, tree, name === 'records' || isWhole)
    }
    pages.checkFree(latest)
  } finally {
    pages.close()
  }
}

function look(pages: DataPages, what: string, tree: Tree, withLeaves: boolean): void {
  if (withLeaves) for (const entry of pages.entries(what, tree)) entry.value()
  else for (const _ of pages.leaves(what, tree));
}
