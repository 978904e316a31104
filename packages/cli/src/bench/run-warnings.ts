import { countText } from '../quantities.ts'
import { numberText } from './numbers.ts'
import type { Moment } from './recorder.ts'
import type { RunResult } from './results.ts'
import { violationsOf } from './verification.ts'

/** Later than this a message's latency says more of the generator than of the broker. */
const LAG_MS = 20
/** A rate that is asked for is reached if so much of it is. */
const RATE_REACHED = 0.98
const BROKER_BUSY_PERCENT = 90
/** A thread that is busy with less CPU time than this waits for a processor. */
const HAS_CPU_PERCENT = 75
/** Kinds of errors that are told; the JSON has more. */
const ERRORS_TOLD = 3

type Result = Omit<RunResult, 'warnings'>

/**
 * What a reader of the figures has to know, in whole sentences.
 *
 * @param last after everything has come that will
 */
export function warningsOf(result: Result, last: Moment): string[] {
  return [...lossWarnings(result), ...troubleWarnings(result, last), ...generatorWarnings(result), ...rateWarnings(result)]
}

function lossWarnings({ verification, qos }: Result): string[] {
  if (verification === null) return []
  const { lost, expected } = verification
  const violations = violationsOf(verification, qos)
  const warnings = violations.length > 0 ? [`the broker did not keep its word: ${violations.join(', ')}`] : []
  if (qos === 0 && lost > 0) {
    warnings.push(`${lost.toLocaleString('en')} of ${countText(expected, 'message')} did not come, as QoS 0 allows`)
  }
  return warnings
}

function troubleWarnings({ errors }: Result, { underWay, disconnects, writtenOff }: Moment): string[] {
  const warnings = errors.kinds.slice(0, ERRORS_TOLD).map(({ message, count }) => `${countText(count, 'error')}: ${message}`)
  if (underWay > 0) warnings.push(`not acknowledged: ${countText(underWay, 'message')}`)
  if (disconnects > 0) warnings.push(`lost: ${countText(disconnects, 'connection')}`)
  if (writtenOff > 0) {
    const times = countText(writtenOff, 'time')
    warnings.push(`publishers waited for deliveries that did not come, and went on after a second, ${times}`)
  }
  return warnings
}

function generatorWarnings({ generator: { isLimit, threads }, process }: Result): string[] {
  if (!isLimit) return []
  const { busyPercent, cpuPercent } = threads.reduce((most, each) => (each.busyPercent > most.busyPercent ? each : most))
  if (cpuPercent < HAS_CPU_PERCENT) {
    return [
      `the generator had to wait for a processor: a thread was busy ${busyPercent} % of the time and got ${cpuPercent} % of a processor; ` +
        'what else runs here, the broker perhaps, takes its time'
    ]
  }
  const how = `a thread was busy ${busyPercent} % of the time`
  return process !== null && process.cpuPercent >= BROKER_BUSY_PERCENT
    ? [`the generator had no time left (${how}), nor had the broker (${process.cpuPercent} % of a processor)`]
    : [`the generator was the limit (${how}), the broker may do more: more --threads or processors would tell`]
}

function rateWarnings({ settings: { ratePerSecond }, rates: { published }, generator: { lagMs } }: Result): string[] {
  if (ratePerSecond === null || published === null) return []
  const warnings: string[] = []
  if (published < ratePerSecond * RATE_REACHED) {
    warnings.push(`${numberText(published)} of ${numberText(ratePerSecond)} messages/s could be published`)
  }
  if (lagMs > LAG_MS) {
    warnings.push(`messages left up to ${Math.round(lagMs)} ms late by the generator's own fault: trust no latency above that`)
  }
  return warnings
}
