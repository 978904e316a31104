import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { root } from '../../checks/workspace.ts'
import type { Series } from './results.ts'

export interface SeriesOptions {
  readonly rounds: number
  readonly seconds: number | undefined
  readonly quietPercent: number
  readonly brokerCpu: string
  readonly generatorCpu: string
}

/** What a series of measurements that begins now is measured on, and how. */
export function describeSeries({ rounds, seconds, quietPercent, brokerCpu, generatorCpu }: SeriesOptions): Series {
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    'file system': fileSystemOf(tmpdir()),
    TCP: `loopback, congestion control ${readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim()}`,
    Godwit: `${versionIn(join(root, 'packages/cli/package.json'))}, commit ${commit()}`,
    Mosquitto: mosquittoVersion(),
    Aedes: versionIn(join(root, 'node_modules/aedes/package.json')),
    Node: `${process.versions.node}, for Godwit and Aedes`,
    processors: `the broker on number ${brokerCpu}, the load generator on number ${generatorCpu}`,
    rounds: String(rounds),
    time: seconds === undefined ? "mqload's own" : `${seconds} s per measurement, after a warm-up`,
    'repeated, twice at most,': `when others used more than ${quietPercent} % of a processor`
  }
}

/** The machine, as far as it matters here; without its name or addresses. */
function describeMachine(): string {
  const gigabytes = Math.round(totalmem() / 2 ** 30)
  const isVirtual = /^flags\s*:.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'))
  const processors = `${cpus().length} processors (${cpus()[0]?.model.trim() ?? 'unknown'})`
  return `${isVirtual ? 'virtual machine, ' : ''}${processors}, ${gigabytes} GB, Linux ${release()}`
}

function fileSystemOf(folder: string): string {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n')
  const holding = mounts
    .map((line) => line.split(' '))
    .filter(([, at = '']) => folder === at || folder.startsWith(at.endsWith('/') ? at : `${at}/`))
  // Of several at the same place the last covers the others.
  const [, , type = 'unknown'] = holding.toSorted(([, a = ''], [, b = '']) => a.length - b.length).at(-1) ?? []
  return type
}

function commit(): string {
  const git = (...parameters: string[]): string => execFileSync('git', parameters, { cwd: root, encoding: 'utf8' }).trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', 'packages') !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? ' and what came after it' : ''}`
  } catch {
    return 'unknown'
  }
}

function mosquittoVersion(): string {
  return /version ([\w.]+)/.exec(spawnSync('mosquitto', ['-h'], { encoding: 'utf8' }).stdout)?.[1] ?? 'unknown'
}

function versionIn(manifest: string): string {
  return /"version": "([^"]+)"/.exec(readFileSync(manifest, 'utf8'))?.[1] ?? 'unknown'
}
