// Loaded into the program by `--import`, with `--expose-gc`: at SIGUSR2 it collects garbage, and says on standard error what is left.
process.on('SIGUSR2', () => {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  process.stderr.write(`memory ${heapUsed} ${external}\n`)
})
