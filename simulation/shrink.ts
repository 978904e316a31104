import type { History } from './history.ts'

/** A shorter history that fails as well: leaves out ever smaller stretches of actions for as long as one can be spared. */
export async function shrink(history: History, fails: (shorter: History) => Promise<boolean>): Promise<History> {
  let { actions } = history
  for (let stretch = Math.ceil(actions.length / 2); stretch > 0; stretch = Math.floor(stretch / 2)) {
    for (let start = 0; start < actions.length;) {
      const shorter = actions.toSpliced(start, stretch)
      if (await fails({ ...history, actions: shorter })) actions = shorter
      else start += stretch
    }
  }
  return { ...history, actions }
}
