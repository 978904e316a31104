/** What was asked for is not what is accepted: told in one line, with status 2. */
export class Misuse extends Error {
  override readonly name = 'Misuse'
}

/** `--qos is "3"; accepted is 0, 1 or 2`, as `godwit serve` says it. */
export function notAccepted(flag: string, found: string, accepted: string): Misuse {
  return new Misuse(`${flag} is ${/^-?\d+$/.test(found) ? found : JSON.stringify(found)}; accepted is ${accepted}`)
}
