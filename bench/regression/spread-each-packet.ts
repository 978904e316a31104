// A planted regression, loaded into the program by `--import`: each packet is copied to another object. The check has to notice.
import { PacketDecoder } from '@godwit/protocol'

const { next } = Object.getOwnPropertyDescriptors(PacketDecoder.prototype)
PacketDecoder.prototype.next = function () {
  const packet = next.value?.call(this)
  return packet === undefined ? undefined : { ...packet }
}
