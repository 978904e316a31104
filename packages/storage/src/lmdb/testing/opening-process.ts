/**
 * A process that opens a store again and again, as its tools do, until its input ends:
 *
 *     node opening-process.ts FOLDER [holds]
 *
 * Says `opened` after the first time. With `holds`: lets go of it only then.
 */
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { StoreSnapshot } from '../store-tools/store-snapshot.ts'

const [path = '', manner] = process.argv.slice(2)

const ended = new AbortController()
process.stdin.resume()
void once(process.stdin, 'end').then(() => ended.abort())
for (let count = 0; !ended.signal.aborted; count++) {
  const snapshot = await StoreSnapshot.open(path, 'opening')
  if (count === 0) process.stdout.write('opened\n')
  if (manner === 'holds') await once(ended.signal, 'abort')
  await snapshot.close()
  await setImmediate()
}
