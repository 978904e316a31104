import * as fc from 'fast-check'
import { expect } from 'vitest'
import { progressAt, type ProgressRecord, type StoreContents } from '../records.ts'
import type { MaybePromise, QueueId } from '../store.ts'
import type { StoredMessage } from '../stored-message.ts'
import { step, TOPICS, type Step } from './history-steps.ts'
import { ModelStore } from './model-store.ts'
import { StoreBench, type OpenStore, type StorePlace } from './open-store.ts'
import { plain, sorted } from './samples.ts'

export interface HistoryOptions {
  /** How many random histories to try. Default: 100. */
  readonly runs?: number | undefined
  /** Repeats the histories of an earlier run, whose title told its seed. Default: a new one. */
  readonly seed?: number | undefined
}

/** Random histories of changes, readings and openings, each compared with the model as it goes and when opened again. */
export function historyCheck(
  makePlace: () => MaybePromise<StorePlace>,
  { runs = 100, seed = Math.floor(Math.random() * 0x7f_ff_ff_ff) }: HistoryOptions = {}
): { readonly title: string; readonly run: () => Promise<void> } {
  return {
    title: `random histories agree with the model (seed ${seed})`,
    async run() {
      const history = fc.array(step, { maxLength: 80, size: 'max' })
      const agrees = fc.asyncProperty(history, async (steps) => {
        const bench = new StoreBench(await makePlace())
        try {
          const comparison = new Comparison(bench, await bench.open())
          for (const next of steps) await comparison.take(next)
          await comparison.take({ kind: 'reopen' })
        } finally {
          await bench.remove()
        }
      })
      await fc.assert(agrees, { numRuns: runs, seed })
    }
  }
}

/** A store and the model, doing the same. */
class Comparison {
  readonly #bench: StoreBench
  readonly #model = new ModelStore()
  readonly #queues = new Map<string, QueueId>()
  #opened: OpenStore

  constructor(bench: StoreBench, opened: OpenStore) {
    this.#bench = bench
    this.#opened = opened
  }

  async take(step: Step): Promise<void> {
    const { store } = this.#opened
    const model = this.#model
    switch (step.kind) {
      case 'append': {
        const queues = step.filters.map((filter) => this.#queue(filter))
        const before = store.lastSequence
        const sequence = store.append(step.message, queues)
        expect(sequence).toBeGreaterThan(before)
        expect(store.lastSequence).toBe(sequence)
        model.append(sequence, step.message, step.filters)
        break
      }
      case 'read': {
        const positions = step.positions.map(([filter, share]) => [filter, this.#sequence(share)] as const)
        await this.#compareRead(positions, step.limit)
        break
      }
      case 'trim': {
        store.trimQueue(this.#queue(step.filter), this.#sequence(step.share))
        model.trim(step.filter, this.#sequence(step.share))
        break
      }
      case 'backlog': {
        const after = this.#sequence(step.share)
        expect(store.backlog({ queue: this.#queue(step.filter), after })).toEqual(model.backlog(step.filter, after))
        break
      }
      case 'drop': {
        store.dropQueue(this.#queue(step.filter))
        this.#queues.delete(step.filter)
        model.queues.delete(step.filter)
        break
      }
      case 'putSession':
        store.putSession(step.record)
        model.putSession(step.record)
        break
      case 'deleteSession':
        store.deleteSession(step.clientId)
        model.sessions.delete(step.clientId)
        break
      case 'putSubscription': {
        const held = model.sessions.get(step.clientId)
        if (held === undefined) break
        store.putSubscription(step.clientId, step.record)
        held.subscriptions.set(step.record.topicFilter, step.record)
        break
      }
      case 'deleteSubscription':
        store.deleteSubscription(step.clientId, step.filter)
        model.sessions.get(step.clientId)?.subscriptions.delete(step.filter)
        break
      case 'touchSession':
        this.#touch('session', step.clientId, model.sessions.get(step.clientId), step.progress)
        break
      case 'moveCursor': {
        const moved = progressAt(this.#sequence(step.share))
        this.#touch('session', step.clientId, model.sessions.get(step.clientId), moved)
        break
      }
      case 'touchGroup':
        this.#touch('group', step.filter, model.groups.get(step.filter), step.progress)
        break
      case 'putGroup':
        store.putSharedGroup(step.record)
        model.putGroup(step.record)
        break
      case 'deleteGroup':
        store.deleteSharedGroup(step.filter)
        model.groups.delete(step.filter)
        break
      case 'putReceived':
        if (!model.sessions.has(step.clientId)) break
        store.putReceived(step.clientId, step.packetIdentifier, step.message)
        model.putReceived(step.clientId, step.packetIdentifier, step.message)
        break
      case 'deleteReceived':
        store.deleteReceived(step.clientId, step.packetIdentifier)
        model.deleteReceived(step.clientId, step.packetIdentifier)
        break
      case 'putInflight': {
        const held = model.sessions.get(step.clientId)
        if (held === undefined) break
        store.putInflight(step.clientId, step.packetIdentifier, step.message)
        held.inflightMessages.set(step.packetIdentifier, step.message)
        break
      }
      case 'deleteInflight':
        store.deleteInflight(step.clientId, step.packetIdentifier)
        model.sessions.get(step.clientId)?.inflightMessages.delete(step.packetIdentifier)
        break
      case 'putWill': {
        const { clientId, message, delayIntervalSeconds } = step
        const will = { clientId, message, delayIntervalSeconds, dueSinceMs: 0 }
        store.putWill(will)
        model.wills.set(clientId, will)
        break
      }
      case 'deleteWill':
        store.deleteWill(step.clientId)
        model.wills.delete(step.clientId)
        break
      case 'putRetained': {
        const retained = { sequence: store.append(step.message, []), message: step.message }
        store.putRetained(retained.message, retained.sequence)
        model.retained.set(step.message.topicName, retained)
        break
      }
      case 'deleteRetained':
        store.deleteRetained(step.topicName)
        model.retained.delete(step.topicName)
        break
      case 'scan':
        await this.#compareScan(step.filter, step.limit)
        break
      case 'commit':
        store.deleteWill('nobody')
        await this.#opened.allCommitted()
        break
      case 'turn':
        await new Promise((resolve) => setImmediate(resolve))
        break
      case 'reopen':
        await this.#reopen()
        break
    }
  }

  #touch(kind: 'session' | 'group', key: string, held: { progress: ProgressRecord } | undefined, progress: ProgressRecord): void {
    if (held === undefined) return
    held.progress = progress
    this.#opened.store.touch({ kind, key, progress: () => progress })
  }

  async #reopen(): Promise<void> {
    const lastSequence = this.#opened.store.lastSequence
    this.#opened = await this.#bench.open()
    expect(this.#opened.store.lastSequence).toBeGreaterThanOrEqual(lastSequence)
    const queues = Array.from(this.#queues, ([topicFilter, queue]) => ({ queue, topicFilter }))
    const { contents } = this.#opened
    expect(contentsOf(withLatestCursors(contents, this.#model))).toEqual(modelContents(this.#model, queues))
    for (const [filter, queue] of this.#queues) {
      expect(this.#opened.store.openQueue(filter)).toBe(queue)
      expect(this.#opened.store.backlog({ queue, after: 0 })).toEqual(this.#model.backlog(filter, 0))
    }
    await this.#compareRead(
      Array.from(this.#queues.keys(), (filter) => [filter, 0]),
      1_000
    )
    await this.#compareScan('#', 3)
    await this.#compareScan('$SYS/#', 3)
  }

  async #compareRead(positions: readonly (readonly [filter: string, after: number])[], limit: number): Promise<void> {
    const entries = await this.#opened.store.read(
      positions.map(([filter, after]) => ({ queue: this.#queue(filter), after })),
      limit
    )
    expect(entries.map(({ sequence, message }) => plain({ sequence, message }))).toEqual(
      this.#model.read(positions, limit).map(plain)
    )
  }

  async #compareScan(filter: string, limit: number): Promise<void> {
    const found = await this.#opened.scanRetained(filter, limit)
    const byTopic = (retained: { readonly message: StoredMessage }): string => retained.message.topicName
    expect(sorted(found, byTopic)).toEqual(sorted(this.#model.retainedMatching(filter), byTopic))
    expect(this.#opened.store.retainedCount).toBe(this.#model.retained.size)
    for (const topicName of TOPICS) expect(this.#opened.store.hasRetained(topicName)).toBe(this.#model.retained.has(topicName))
  }

  #queue(filter: string): QueueId {
    const known = this.#queues.get(filter)
    if (known !== undefined) return known
    const queue = this.#opened.store.openQueue(filter)
    this.#queues.set(filter, queue)
    this.#model.queues.set(filter, [])
    return queue
  }

  #sequence(share: number): number {
    return Math.round(this.#opened.store.lastSequence * share)
  }
}

/** The same with cursors as far on as they may be, where a store left them behind for nothing lies between. */
function withLatestCursors(contents: StoreContents, model: ModelStore): StoreContents {
  const latest = <T extends { readonly progress: ProgressRecord }>(held: T, expected: ProgressRecord | undefined): T => {
    if (expected === undefined || !isCursorAlone(held.progress) || !isCursorAlone(expected)) return held
    const isAsGood = held.progress.cursor < expected.cursor && !model.holdsBetween(held.progress.cursor, expected.cursor)
    return isAsGood ? { ...held, progress: expected } : held
  }
  return {
    ...contents,
    sessions: contents.sessions.map((held) => latest(held, model.sessions.get(held.session.clientId)?.progress)),
    sharedGroups: contents.sharedGroups.map((held) => latest(held, model.groups.get(held.group.filter)?.progress))
  }
}

function isCursorAlone({ finished, inflight, released }: ProgressRecord): boolean {
  return finished.length === 0 && inflight.length === 0 && released.length === 0
}

function contentsOf({ sessions, sharedGroups, wills, queues }: StoreContents): unknown {
  return {
    sessions: sorted(
      sessions.map((held) => ({
        ...held,
        subscriptions: sorted(held.subscriptions, (record) => record.topicFilter),
        inflightMessages: sorted(held.inflightMessages, ({ packetIdentifier }) => String(packetIdentifier))
      })),
      (held) => held.session.clientId
    ),
    sharedGroups: sorted(sharedGroups, (held) => held.group.filter),
    wills: sorted(wills, (will) => will.clientId),
    queues: sorted(queues, (queue) => queue.topicFilter)
  }
}

function modelContents({ sessions, groups, wills }: ModelStore, queues: StoreContents['queues']): unknown {
  return contentsOf({
    sessions: Array.from(sessions.values(), (held) => ({
      ...held,
      subscriptions: [...held.subscriptions.values()],
      inflightMessages: Array.from(held.inflightMessages, ([packetIdentifier, message]) => ({ packetIdentifier, message }))
    })),
    sharedGroups: [...groups.values()],
    wills: [...wills.values()],
    queues
  })
}
