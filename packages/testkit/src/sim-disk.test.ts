import { describeStore } from '@godwit/storage/suite'
import { SimClock } from './sim-clock.ts'
import { SimDisk } from './sim-disk.ts'

describeStore('SimDisk', () => {
  const disk = new SimDisk(new SimClock(), { schedule: setImmediate })
  return { store: () => disk }
})
