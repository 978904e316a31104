import { describe, expect, test } from 'vitest'
import { parseProxyHeader } from './proxy-header.ts'
import { proxyV2, tlv } from './proxy-header.test.support.ts'

const ipv4 = Buffer.from([192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 0x04, 0x07, 0x5b])
const ipv6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from('20010db8000000000000000000000002', 'hex'),
  Buffer.from([0xff, 0xff, 0x07, 0x5b])
])
const mapped = Buffer.concat([Buffer.from('00000000000000000000ffffc0000201', 'hex'), Buffer.alloc(16), Buffer.alloc(4)])
const unix = Buffer.alloc(216, 'x')

const line = (text: string): Buffer => Buffer.from(`${text}\r\n`, 'latin1')

const GOOD: [string, Buffer, { address: string; port: number } | undefined][] = [
  ['v1 TCP4', line('PROXY TCP4 192.0.2.1 198.51.100.2 56324 1883'), { address: '192.0.2.1', port: 56324 }],
  ['v1 TCP4, ports 0 and 65535', line('PROXY TCP4 192.0.2.1 198.51.100.2 0 65535'), { address: '192.0.2.1', port: 0 }],
  ['v1 TCP6, spelled at length', line('PROXY TCP6 2001:DB8:0:0::0001 2001:db8::2 1 1883'), { address: '2001:db8::1', port: 1 }],
  ['v1 TCP6, IPv4-mapped', line('PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2'), { address: '192.0.2.1', port: 1 }],
  [
    'v1, the longest line',
    line(`PROXY UNKNOWN ${Array(2).fill('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff').join(' ')} 65535 65535`),
    undefined
  ],
  ['v1 UNKNOWN', line('PROXY UNKNOWN'), undefined],
  ['v1 UNKNOWN and more', line('PROXY UNKNOWN anything\x00 goes'), undefined],
  ['v2 TCP4', proxyV2(0x21, 0x11, ipv4), { address: '192.0.2.1', port: 56324 }],
  ['v2 TCP6', proxyV2(0x21, 0x21, ipv6), { address: '2001:db8::1', port: 65535 }],
  ['v2 TCP6, IPv4-mapped', proxyV2(0x21, 0x21, mapped), { address: '192.0.2.1', port: 0 }],
  ['v2 UNIX', proxyV2(0x21, 0x31, unix), { address: '', port: 0 }],
  [
    'v2 TLVs, one empty',
    proxyV2(0x21, 0x11, Buffer.concat([ipv4, tlv(0x02, 'mqtt'), tlv(0x04, '')])),
    { address: '192.0.2.1', port: 56324 }
  ],
  [
    'v2, the longest header',
    proxyV2(0x21, 0x11, Buffer.concat([ipv4, tlv(0x04, 'x'.repeat(4096 - 16 - 12 - 3))])),
    { address: '192.0.2.1', port: 56324 }
  ],
  ['v2 PROXY, UNSPEC', proxyV2(0x21, 0x00, Buffer.alloc(0)), undefined],
  ['v2 LOCAL', proxyV2(0x20, 0x00, Buffer.alloc(0)), undefined],
  ['v2 LOCAL, whatever it carries', proxyV2(0x20, 0xff, Buffer.alloc(7, 0xff)), undefined]
]

const BAD: [string, Buffer, RegExp][] = [
  ['CONNECT of MQTT', Buffer.from('101000044d515454040000000000', 'hex'), /does not begin/],
  ['v1 in lower case', line('proxy TCP4 192.0.2.1 198.51.100.2 1 2'), /does not begin/],
  ['v1 without a space', line('PROXYTCP4'), /does not begin/],
  ['v1 too long', Buffer.from(`PROXY UNKNOWN ${'x'.repeat(200)}`), /without CRLF in 107 bytes/],
  ['v1, CRLF one byte late', line(`PROXY UNKNOWN ${'x'.repeat(92)}`), /without CRLF in 107 bytes/],
  ['v1 without a family', line('PROXY '), /family/],
  ['v1 UDP4', line('PROXY UDP4 192.0.2.1 198.51.100.2 1 2'), /family/],
  ['v1 without ports', line('PROXY TCP4 192.0.2.1 198.51.100.2'), /two ports/],
  ['v1 with one word more', line('PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3'), /two ports/],
  ['v1 with two spaces', line('PROXY TCP4  192.0.2.1 198.51.100.2 1 2'), /two ports/],
  ['v1 TCP4 with IPv6', line('PROXY TCP4 ::1 ::1 1 2'), /TCP4 address/],
  ['v1 TCP6 with IPv4', line('PROXY TCP6 192.0.2.1 198.51.100.2 1 2'), /TCP6 address/],
  ['v1 TCP6 with a zone', line('PROXY TCP6 fe80::1%eth0 ::1 1 2'), /TCP6 address/],
  ['v1 with 256', line('PROXY TCP4 192.0.2.256 198.51.100.2 1 2'), /TCP4 address/],
  ['v1 with a bad destination', line('PROXY TCP4 192.0.2.1 198.51.100 1 2'), /TCP4 address/],
  ['v1 with port 65536', line('PROXY TCP4 192.0.2.1 198.51.100.2 65536 2'), /port/],
  ['v1 with port 01', line('PROXY TCP4 192.0.2.1 198.51.100.2 01 2'), /port/],
  ['v1 with a signed port', line('PROXY TCP4 192.0.2.1 198.51.100.2 1 -2'), /port/],
  ['v1 with a port of no digits', line('PROXY TCP4 192.0.2.1 198.51.100.2 1 '), /port/],
  ['v2 signature broken', Buffer.from('\r\n\r\n\0\r\nQUIT\r'), /does not begin/],
  ['v2 version 1', proxyV2(0x11, 0x11, ipv4), /version 1/],
  ['v2 command 2', proxyV2(0x22, 0x11, ipv4), /command 2/],
  ['v2 UDP', proxyV2(0x21, 0x12, ipv4), /transport 0x12/],
  ['v2 family 4', proxyV2(0x21, 0x41, ipv4), /transport 0x41/],
  ['v2 TCP4 too short', proxyV2(0x21, 0x11, ipv4.subarray(1)), /too short/],
  ['v2 TCP6 too short', proxyV2(0x21, 0x21, ipv4), /too short/],
  ['v2 UNIX too short', proxyV2(0x21, 0x31, ipv6), /too short/],
  ['v2 too long', proxyV2(0x21, 0x11, Buffer.concat([ipv4, Buffer.alloc(4096)])), /above 4096/],
  ['v2 with a TLV cut short', proxyV2(0x21, 0x11, Buffer.concat([ipv4, Buffer.from([4, 0])])), /cut short/],
  ['v2 with a TLV that leads out', proxyV2(0x21, 0x11, Buffer.concat([ipv4, Buffer.from([4, 0, 2, 1])])), /longer/]
]

describe('a PROXY protocol header', () => {
  test.each(GOOD)('%s names the source, however it is split', (_name, header, source) => {
    for (let length = 0; length < header.length; length++) expect(parseProxyHeader(header.subarray(0, length))).toBeUndefined()
    expect(parseProxyHeader(header)).toEqual({ length: header.length, source })
    expect(parseProxyHeader(Buffer.concat([header, Buffer.from('PROXY more')]))).toEqual({ length: header.length, source })
  })

  test.each(BAD)('%s is refused, however it is split', (_name, header, message) => {
    expect(() => parseProxyHeader(header)).toThrow(message)
    let length = 0
    expect(() => {
      while (length < header.length) expect(parseProxyHeader(header.subarray(0, ++length))).toBeUndefined()
    }).toThrow(message)
  })
})
