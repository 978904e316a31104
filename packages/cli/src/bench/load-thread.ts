import { parentPort, workerData } from 'node:worker_threads'
import { ClientError } from '@godwit/client'
import { ThreadLoad } from './thread-load.ts'
import type { NumberedCommand, NumberedReply, ThreadCommand, ThreadReply, ThreadTask } from './thread-messages.ts'

// A thread of `godwit bench`: it does its part of a load as it is told.

const data: unknown = workerData
if (!isThreadTask(data)) throw new TypeError('started without what it is to do')
const load = await ThreadLoad.create(data)

parentPort?.on('message', ({ number, command }: NumberedCommand) => {
  void answer(command).then((reply) => {
    const numbered: NumberedReply = { number, reply }
    parentPort?.postMessage(numbered)
  })
})

async function answer(command: ThreadCommand): Promise<ThreadReply> {
  try {
    return await load.obey(command)
  } catch (error) {
    // What nobody expected ends the thread, and is told by that.
    if (!(error instanceof ClientError)) throw error
    const { code, message, reasonCode } = error
    return { kind: 'failed', failure: { code, message, reasonCode } }
  }
}

function isThreadTask(value: unknown): value is ThreadTask {
  return typeof value === 'object' && value !== null && 'load' in value && 'shared' in value
}
