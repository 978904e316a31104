export { handOverInMemory } from './io-threads/hand-over-in-memory.ts'
export { IoThreads, type IoThreadsOptions, startIoThreads } from './io-threads/io-threads.ts'
export type { Turns } from './io-threads/turns.ts'
