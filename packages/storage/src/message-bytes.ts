import type { StoredMessage } from './stored-message.ts'

/** What a message is counted as, in backlogs and in `storedBytes`: its topic name and its payload. */
export function messageBytes({ topicName, payload }: StoredMessage): number {
  return Buffer.byteLength(topicName) + payload.byteLength
}
