/** As root both sides go ahead of other work on the machine, alike. */
const NICE = process.getuid?.() === 0 ? ['nice', '-n', '-10'] : []

/** A command that keeps to one processor. */
export function pinned(cpu: string, command: readonly string[]): readonly string[] {
  return [...NICE, 'taskset', '-c', cpu, ...command]
}
