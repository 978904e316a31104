/**
 * A process that opens a store again and again, as its tools do, until its input ends:
 *
 *     node opening-process.ts FOLDER
 *
 * Says `opened` after the first time.
 */
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { StoreSnapshot } from '../store-tools/store-snapshot.ts'

const [path = ''] = process.argv.slice(2)

const ended = new AbortController()
process.stdin.resume()
void once(process.stdin, 'end').then(() => ended.abort())
for (let count = 0; !ended.signal.aborted; count++) {
  const snapshot = await StoreSnapshot.open(path, 'opening')
  await snapshot.close()
  if (count === 0) process.stdout.write('opened\n')
  await setImmediate()
}
