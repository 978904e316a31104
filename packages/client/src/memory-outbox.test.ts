import { memoryOutbox } from './memory-outbox.ts'
import { describeOutbox } from './outbox-suite.ts'

describeOutbox('memoryOutbox', () => {
  const outbox = memoryOutbox()
  return { store: () => outbox }
})
