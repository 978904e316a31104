// Loaded into the program by `--import`: at SIGUSR2 it writes an `Account` to standard error, as one line of JSON, after a collection of
// garbage if `--expose-gc` is given.
import type { Account } from './account.ts'
import { AllocationMeter } from './allocation-meter.ts'

const meter = new AllocationMeter()

process.on('SIGUSR2', () => {
  const { bytes, pausesMs } = meter.stop()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  const account: Account = { heapUsed, external, allocated: bytes, pausesMs }
  process.stderr.write(`${JSON.stringify(account)}\n`)
  meter.start()
})
meter.start()
