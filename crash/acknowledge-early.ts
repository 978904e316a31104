// A planted fault, loaded into the program by `--import`, ahead of it: what waits for a commit is told that it is durable as
// soon as it is gathered, while the disk is slow. The crash run has to notice.
import { Commits } from '../packages/broker/src/commits.ts'
import { DataFile } from '../packages/storage/src/lmdb/data-file.ts'

const COMMIT_MS = 40

const { wait } = Object.getOwnPropertyDescriptors(Commits.prototype)
Commits.prototype.wait = function (commit, waiter) {
  wait.value?.call(this, commit, waiter)
  queueMicrotask(() => waiter.onCommitted(commit))
}

const { append } = Object.getOwnPropertyDescriptors(DataFile.prototype)
DataFile.prototype.append = function (changes, onDone) {
  setTimeout(() => append.value?.call(this, changes, onDone), COMMIT_MS)
}
