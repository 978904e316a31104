import { request } from 'node:http'

/** The status that a WebSocket upgrade is answered with. */
export function upgrade(address: string, origin?: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  const asked = request(address.replace(/^ws:/, 'http:'), {
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol': 'mqtt',
      ...(origin === undefined ? {} : { Origin: origin })
    }
  })
  asked.on('upgrade', (response, socket) => {
    socket.destroy()
    resolve(response.statusCode)
  })
  asked.on('response', (response) => {
    response.resume()
    resolve(response.statusCode)
  })
  asked.on('error', reject)
  asked.end()
  return promise
}
