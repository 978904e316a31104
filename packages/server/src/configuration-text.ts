import { stringify } from 'yaml'
import type { Configuration } from './configuration.ts'

/** A configuration as YAML, to be shown: without password hashes. */
export function configurationText(configuration: Configuration): string {
  const { access } = configuration
  const users = access.users.map((user) => ({ ...user, passwordHash: '(hidden)' }))
  return stringify({ ...configuration, access: { ...access, users } }, { lineWidth: 0, aliasDuplicateObjects: false })
}
