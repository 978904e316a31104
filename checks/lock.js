// Plain JavaScript: it runs before `npm ci`, under whatever Node the machine has.
import { readFileSync, realpathSync } from 'node:fs'

/**
 * `npm install` can leave the platform package of a very new release out of the lock file without a word; `npm ci` then fails on
 * that platform. It can also write down the address of whichever registry it was pointed at.
 *
 * @param {string} text the content of package-lock.json
 * @returns {string[]} one line for each thing wrong
 */
export function checkLock(text) {
  /** @type {{ packages: Record<string, { optionalDependencies?: Record<string, string>, resolved?: string }> }} */
  const { packages } = JSON.parse(text)
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {}, resolved = '' }]) => [
    ...Object.keys(optionalDependencies)
      .filter((name) => !packages[`${path}/node_modules/${name}`] && !packages[`node_modules/${name}`])
      .map(
        (name) => `package-lock.json lacks ${name}, an optional dependency of ${path || 'the workspace'}: pin an older release`
      ),
    ...(/^https?:/.test(resolved) ? [`package-lock.json names a registry for ${path}: ${resolved}`] : [])
  ])
}

if (process.argv[1] !== undefined && import.meta.filename === realpathSync(process.argv[1])) {
  const findings = checkLock(readFileSync('package-lock.json', 'utf8'))
  for (const finding of findings) console.error(finding)
  process.exitCode = findings.length === 0 ? 0 : 1
}
