import { checkStore, type StoreSummary } from '@godwit/server/store-tools'
import { complainOfStore } from './complain-of-store.ts'
import { ExitCode } from './exit-code.ts'
import { bytesText, countText } from './quantities.ts'

/** As JSON, findings are told together, and no more than these. */
const FINDINGS_MAX = 1_000

/** As text, queues that nobody reads are named up to here. */
const UNREAD_QUEUES_MAX = 10

export interface StoreCheckFlags {
  readonly json?: boolean
}

/** `godwit store check DIR`: verifies a store, and says what it holds. */
export async function storeCheck(folder: string, { json = false }: StoreCheckFlags): Promise<ExitCode> {
  let count = 0
  const findings: string[] = []
  const report = (what: string): void => {
    count++
    if (!json) console.log(what)
    else if (findings.length < FINDINGS_MAX) findings.push(what)
  }
  try {
    const summary = await checkStore(folder, report)
    if (json) console.log(JSON.stringify({ sound: count === 0, findingsCount: count, findings, summary: summary ?? null }))
    else console.log(summaryText(folder, summary, count))
    return count === 0 ? ExitCode.Done : ExitCode.Failed
  } catch (error) {
    return complainOfStore(error)
  }
}

function summaryText(folder: string, summary: StoreSummary | undefined, findings: number): string {
  const verdict = findings === 0 ? 'sound: nothing was found that does not hold' : `${countText(findings, 'finding')}, above`
  if (summary === undefined) return `${folder} is damaged and was not read on; ${verdict}`
  const row = (title: string, value: string): string => `  ${title.padEnd(10)}${value}`
  const { formatVersion, sessions, subscriptions, sharedSubscriptions, unreadQueues, messages, messageBytes, wills } = summary
  const held = `${countText(subscriptions, 'subscription')}, ${countText(sharedSubscriptions, 'shared group')}`
  const free = `${bytesText(summary.freeBytes)} of them free to be used again`
  return [
    `${folder}: format ${formatVersion}`,
    row('sessions', `${sessions.toLocaleString('en')}, with ${held}`),
    row('queues', `${summary.queues.toLocaleString('en')}${unreadText(unreadQueues)}`),
    row('messages', `${messages.toLocaleString('en')}, ${bytesText(messageBytes)}`),
    row('retained', `${summary.retainedMessages.toLocaleString('en')}, ${bytesText(summary.retainedBytes)}`),
    row('wills', wills.toLocaleString('en')),
    row('file', `${bytesText(summary.fileBytes)}, ${free}; ${bytesText(summary.availableBytes)} free on the file system`),
    verdict
  ].join('\n')
}

/** History, or left for the broker to drop when it starts. */
function unreadText(unread: readonly string[]): string {
  if (unread.length === 0) return ''
  const more = unread.length > UNREAD_QUEUES_MAX ? ', …' : ''
  return `, of which no session reads ${unread.slice(0, UNREAD_QUEUES_MAX).join(', ')}${more}`
}
