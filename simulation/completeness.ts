import type { Model } from './model.ts'
import type { ModelSession, ModelSubscription } from './model-session.ts'
import type { PublishedMessage } from './published-message.ts'
import { Violation } from './violation.ts'

/** How much of a history there was to check. */
export interface Checked {
  /** Messages that a durable session had to get, and did not: each has a fate. */
  readonly dropped: number
  /** Messages that a session had to get, and got. */
  readonly owed: number
  /** Messages that a session had to get, had they not expired first. */
  readonly expired: number
}

/**
 * Everything that was acknowledged has arrived, now that every client has been back and has taken what waited for it.
 * @throws Violation
 */
export function checkComplete(model: Model): Checked {
  const accepted = [...model.messages.values()].filter(
    ({ acceptedAt, content }) => acceptedAt !== undefined && content.qos > 0 && !content.isEmpty
  )
  let owed = 0
  let expired = 0
  for (const session of model.sessions) {
    if (session.endedAt !== undefined) continue
    for (const message of accepted) {
      const owing = session.subscriptions.find((each) => each.group === undefined && each.mustBring(message, session.clientId))
      if (owing === undefined || session.mayHaveMissed(message)) continue
      if (session.got(message.content.id) !== undefined) owed++
      else if (message.mayBeExpired(model.nowMs)) expired++
      else if (!model.overflow.mayDrop(session, owing, message)) throw lost(message, session, owing)
    }
  }
  for (const [group, members] of groupsOf(model)) {
    for (const message of accepted) {
      const owing = members.find((member) => owes(member, message))
      if (owing === undefined || mayHaveEndedWith(members, message)) continue
      if (model.sessions.some((session) => session.got(message.content.id) !== undefined)) owed++
      else if (message.mayBeExpired(model.nowMs)) expired++
      else throw new Violation(`${group} did not get "${message.content.id}", which was acknowledged`)
    }
  }
  model.retained.checkComplete()
  model.overflow.checkDeadLetters(accepted)
  owed += model.replays.checkComplete(accepted)
  return { owed, expired, dropped: countDropped(model, accepted) }
}

/** What waited for a session that ended, or for a subscription, or expired. A session that was not durable may have died in a crash. */
function countDropped({ sessions }: Model, accepted: readonly PublishedMessage[]): number {
  let dropped = 0
  for (const session of sessions) {
    if (!session.isDurable) continue
    for (const message of accepted) {
      const { acceptedAt = Infinity, content } = message
      const wasThere = session.endedAt === undefined || acceptedAt < session.lastConnectedAt
      if (!wasThere || !message.isPassedOn || session.mayHaveMissed(message) || session.got(content.id) !== undefined) continue
      if (session.subscriptions.some((subscription) => subscription.wasOwing(message, session.clientId))) dropped++
    }
  }
  return dropped
}

interface Member {
  readonly session: ModelSession
  readonly subscription: ModelSubscription
}

function groupsOf({ sessions }: Model): Map<string, Member[]> {
  const groups = new Map<string, Member[]>()
  for (const session of sessions) {
    for (const subscription of session.subscriptions) {
      if (subscription.group === undefined) continue
      const members = groups.get(subscription.group) ?? []
      members.push({ session, subscription })
      groups.set(subscription.group, members)
    }
  }
  return groups
}

/** Whether a member that has been there all the time holds the group to a message. */
function owes({ session, subscription }: Member, message: PublishedMessage): boolean {
  return session.endedAt === undefined && subscription.mustBring(message, session.clientId) && !session.mayHaveMissed(message)
}

/**
 * Whether a message may have been a member's own: one with QoS 0 may have lost it, and a QoS 2 message ends with the
 * session that it was sent to ([5.0 MQTT-4.8.2-5]).
 */
function mayHaveEndedWith(members: readonly Member[], { content, firstSentAt }: PublishedMessage): boolean {
  return members.some(
    ({ session, subscription }) =>
      subscription.qosMin === 0 || (content.qos === 2 && session.endedAt !== undefined && session.endedAt > firstSentAt)
  )
}

function lost({ content }: PublishedMessage, { clientId }: ModelSession, { topicFilter }: ModelSubscription): Violation {
  return new Violation(`"${content.id}" was acknowledged, and ${clientId} did not get it, who subscribes to ${topicFilter}`)
}
