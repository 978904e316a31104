// A planted regression, loaded into the program by `--import`: what could go out in one write goes out in two. The check has to notice.
import { Socket } from 'node:net'
import { Writable } from 'node:stream'

const { write } = Object.getOwnPropertyDescriptors(Writable.prototype)
Socket.prototype.write = function (bytes: Uint8Array | string): boolean {
  const half = bytes.length >> 1
  write.value?.call(this, bytes.slice(0, half), 'utf8')
  return write.value?.call(this, bytes.slice(half), 'utf8') === true
}
