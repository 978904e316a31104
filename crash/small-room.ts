import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SMALL_MIB = 12
const LARGE_MIB = 64
const MIB = 1024 * 1024

/** A folder in which there is room for some megabytes only, until it is given more. */
interface SmallRoom {
  readonly data: string
  /** What the broker has to be started under. */
  readonly wrapper: readonly string[]
  /** @param pid the broker's */
  grow(pid: number): void
  remove(): void
}

export interface RoomKind {
  readonly title: string
  readonly isPossible: boolean
  make(): SmallRoom
}

/** A file system of its own, which is full when it is full (ENOSPC). Takes a superuser who may mount. */
const smallFileSystem: RoomKind = {
  title: 'a small file system (needs root, and the permission to mount)',
  isPossible: canMount(),
  make() {
    const folder = temporaryFolder()
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_MIB}m`, 'godwit-small', folder])
    return {
      data: folder,
      wrapper: [],
      grow: () => void execFileSync('mount', ['-o', `remount,size=${LARGE_MIB}m`, folder]),
      remove() {
        execFileSync('umount', ['--lazy', folder])
        rmSync(folder, { recursive: true, force: true })
      }
    }
  }
}

/** A process whose files may not grow further (EFBIG). */
const smallFiles: RoomKind = {
  title: 'a limit on the size of files (needs prlimit)',
  isPossible: spawnSync('prlimit', ['--version']).status === 0,
  make() {
    const folder = temporaryFolder()
    return {
      data: join(folder, 'data'),
      wrapper: ['prlimit', `--fsize=${SMALL_MIB * MIB}:unlimited`],
      grow: (pid) => void execFileSync('prlimit', ['--pid', String(pid), '--fsize=unlimited:unlimited']),
      remove: () => rmSync(folder, { recursive: true, force: true })
    }
  }
}

export const ROOM_KINDS: readonly RoomKind[] = [smallFileSystem, smallFiles]

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'godwit-small-'))
}

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const folder = temporaryFolder()
  mkdirSync(folder, { recursive: true })
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'godwit-small', folder]).status === 0
  if (isMounted) spawnSync('umount', [folder])
  rmSync(folder, { recursive: true, force: true })
  return isMounted
}
