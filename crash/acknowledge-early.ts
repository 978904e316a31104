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

const { commit } = Object.getOwnPropertyDescriptors(DataFile.prototype)
DataFile.prototype.commit = function (request, onOutcome) {
  setTimeout(() => commit.value?.call(this, request, onOutcome), COMMIT_MS)
}
