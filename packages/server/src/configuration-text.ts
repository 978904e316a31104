import type { Configuration } from './configuration.ts'

/** A configuration as YAML, to be shown: without password hashes. */
export async function configurationText(configuration: Configuration): Promise<string> {
  // Loaded only here and for a file: `serve` without one starts faster.
  const { stringify } = await import('yaml')
  const { access } = configuration
  const users = access.users.map((user) => ({ ...user, passwordHash: '(hidden)' }))
  return stringify({ ...configuration, access: { ...access, users } }, { lineWidth: 0, aliasDuplicateObjects: false })
}
