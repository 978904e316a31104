import { type Command, Option } from 'commander'
import { Misuse } from '../misuse.ts'

/** Flags that mosquitto's clients have and this command cannot have: said when one is used, rather than `unknown option`. */
const UNAVAILABLE: readonly { readonly flag: string; readonly why: string }[] = [
  { flag: '-A <address>', why: 'the operating system chooses the address to connect from' },
  { flag: '-S', why: 'servers are not looked up in SRV records; name them with --url, several if need be' },
  { flag: '--proxy <url>', why: 'there is no support for SOCKS; a tunnel (ssh -L) and --host, --port do the same' },
  { flag: '--psk <key>', why: 'TLS goes with certificates only: --cafile, --cert, --key' },
  { flag: '--psk-identity <identity>', why: 'TLS goes with certificates only: --cafile, --cert, --key' },
  { flag: '--tls-engine <engine>', why: 'OpenSSL engines are not supported; --key takes a PEM file' },
  { flag: '--tls-engine-kpass-sha1 <hash>', why: 'OpenSSL engines are not supported; --key takes a PEM file' },
  { flag: '--keyform <form>', why: 'OpenSSL engines are not supported; --key takes a PEM file' }
]

/** Adds them, unseen by help and completion. */
export function addUnavailableFlags(command: Command): void {
  for (const { flag, why } of UNAVAILABLE) {
    const option = new Option(flag).hideHelp()
    command.addOption(option)
    command.on(`option:${option.name()}`, () => {
      throw new Misuse(`${option.long ?? option.short ?? flag} cannot be had: ${why}`)
    })
  }
  // Nagle's algorithm is off, always.
  command.addOption(new Option('--nodelay').hideHelp())
}
