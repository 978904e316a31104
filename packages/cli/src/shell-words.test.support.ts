/**
 * The commands of a line of shell, each as its words: what stands in '' or "" is one word, | separates commands, > and >> with what follows
 * are left out. Knows no more of the shell than examples need.
 */
export function shellCommands(line: string): string[][] {
  const commands: string[][] = [[]]
  const redirected = line.replaceAll(/\s>>?\s*\S+/g, '')
  for (const [, single, double, bare] of redirected.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)) {
    if (bare === '|') commands.push([])
    else commands.at(-1)?.push(single ?? double ?? bare ?? '')
  }
  return commands
}
