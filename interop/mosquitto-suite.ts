import { afterAll, beforeAll, describe, onTestFinished } from 'vitest'
import type { QoS } from './foreign-client.ts'
import { GodwitProcess } from './godwit-process.ts'
import { hasMosquittoClients, mosquittoPub, MosquittoSub, type MosquittoVersion } from './mosquitto-clients.ts'

export const everyVersion: readonly MosquittoVersion[] = ['mqttv31', 'mqttv311', 'mqttv5']

const available = hasMosquittoClients()
const without = available ? '' : ' (skipped: this machine has no mosquitto-clients)'

/** Mosquitto's clients at the program that the tests of one `describeMosquitto` share. */
export interface MosquittoClients {
  /** Resolves once mosquitto_pub has ended well. */
  readonly publish: (
    version: MosquittoVersion,
    topicName: string,
    qos: QoS,
    flags: readonly string[],
    input?: string
  ) => Promise<void>
  /** Resolves once SUBACK has come; what still runs at the end of the test is killed. */
  readonly subscribe: (
    version: MosquittoVersion,
    topicFilter: string,
    qos: QoS,
    flags?: readonly string[]
  ) => Promise<MosquittoSub>
  /** Runs a mosquitto_sub to its end. */
  readonly run: (version: MosquittoVersion, flags: readonly string[]) => Promise<number | null>
}

/** Tests with a program of their own, served as the flags say; skipped where there are no mosquitto-clients. */
export function describeMosquitto(
  title: string,
  serveFlags: readonly string[],
  tests: (clients: MosquittoClients) => void
): void {
  describe.skipIf(!available)(`${title}${without}`, () => {
    let godwit: GodwitProcess
    beforeAll(async () => {
      godwit = await GodwitProcess.start([], serveFlags)
    })
    afterAll(async () => {
      await godwit.stop()
    })

    tests({
      publish: (version, topicName, qos, flags, input) =>
        mosquittoPub(godwit.port, version, ['-t', topicName, '-q', `${qos}`, ...flags], input),
      subscribe: async (version, topicFilter, qos, flags) => {
        const sub = await MosquittoSub.subscribe(godwit.port, version, topicFilter, qos, flags)
        onTestFinished(() => sub.kill())
        return sub
      },
      run: (version, flags) => MosquittoSub.run(godwit.port, version, flags)
    })
  })
}
