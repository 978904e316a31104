import { accessSync, closeSync, constants, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { OutboxFailure, reasonOf } from './outbox-failure.ts'

/** SQLITE_BUSY, SQLITE_NOTADB: someone else holds the lock; the file is not the empty one that it must be. */
const BUSY = 5
const NOT_EMPTY = 26

/**
 * Makes a folder if there is none, for its owner alone.
 *
 * @throws {OutboxFailure} if it cannot be used
 */
export function useFolder(folder: string): void {
  try {
    makeFolder(folder)
    if (!statSync(folder).isDirectory()) throw new OutboxFailure(`cannot use ${folder}: it is not a directory`)
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    if (cause instanceof OutboxFailure) throw cause
    throw new OutboxFailure(`cannot use ${folder}: ${reasonOf(cause)}`, { cause })
  }
}

/** Step by step, and each step on disk: a folder whose parent does not know of it is gone after a power failure. */
function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return
  const parent = dirname(folder)
  makeFolder(parent)
  mkdirSync(folder, { mode: 0o700 })
  syncFolder(parent)
}

/** Puts on disk which files a folder has. Windows has no such call. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Holds a folder for one outbox, against other processes and others of this one. The kernel keeps the lock, on an empty file, for as long as
 * its process lives, so none is left behind by `kill -9`. Node offers no such lock; SQLite, which is part of Node, takes one while it is in
 * an exclusive transaction. Nothing else may open the file: closing any descriptor of it would let the lock go.
 */
export class FolderLock {
  readonly #database: DatabaseSync

  /** @throws {OutboxFailure} if another outbox holds it */
  constructor(folder: string) {
    const path = join(folder, 'in-use.lock')
    let database: DatabaseSync | undefined
    try {
      database = new DatabaseSync(path)
      // Without a journal there is nothing to write, and a full disk is no hindrance.
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
      this.#database = database
    } catch (cause) {
      database?.close()
      const code = cause instanceof Error && 'errcode' in cause ? cause.errcode : undefined
      if (code === BUSY) throw new OutboxFailure(`${folder} is in use: one client at a time can have its outbox there`, { cause })
      const reason = code === NOT_EMPTY ? `${path} must be empty; remove it if no client is running` : reasonOf(cause)
      throw new OutboxFailure(`cannot use ${folder}: ${reason}`, { cause })
    }
  }

  release(): void {
    this.#database.close()
  }
}
