/** Why the file of an outbox cannot be opened, read or written, in one line. The client's thread makes a `ClientError` of it. */
export class OutboxFailure extends Error {
  override readonly name = 'OutboxFailure'
}

export function damaged(what: string): OutboxFailure {
  return new OutboxFailure(`the outbox is damaged: ${what}`)
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'there is no room on the disk',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file may not grow any further',
  ENOTDIR: 'a part of its path is not a directory'
}

/** What the system or LMDB says, in one line. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  return REASONS[code] ?? cause.message.replaceAll(/\s*\n\s*/g, ' ')
}
