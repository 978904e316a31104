import { Command } from 'commander'
import { joinProperties } from './connection/properties.ts'
import { addUnavailableFlags } from './connection/unavailable-flags.ts'
import type { ExitCode } from './exit-code.ts'
import { addExamples, addFlags, type Example, type FlagGroup } from './flags.ts'
import { addProfileVerbs } from './profile/profile-verbs.ts'
import { PUB_EXAMPLES, PUB_GROUPS, type PubFlags } from './pub/pub-flags.ts'
import { REQUEST_EXAMPLES, REQUEST_GROUPS, type RequestFlags } from './request/request-flags.ts'
import { SUB_EXAMPLES, SUB_GROUPS, type SubFlags } from './sub/sub-flags.ts'

const EXIT_CODES = `
Exit codes:
  0 done, 2 wrong flags, 4 no server, 27 timed out, 128 to 162 the server's own: see docs/cli.md`

/** A verb with `-D`, which takes more than one argument. */
class ClientVerb extends Command {
  override parseOptions(args: string[]): ReturnType<Command['parseOptions']> {
    return super.parseOptions(joinProperties(args, (arg) => this.#takesValue(arg)))
  }

  #takesValue(arg: string): boolean {
    return this.options.some(({ short, long, required }) => required && (short === arg || long === arg))
  }
}

/**
 * Adds the verbs that are clients of a broker, any broker.
 *
 * @param common gives a verb what all have
 */
export function addClientVerbs(
  godwit: Command,
  common: (command: Command) => Command,
  finish: (verb: Promise<ExitCode>) => Promise<void>
): void {
  const add = (name: string, groups: readonly FlagGroup[], examples: readonly Example[]): Command => {
    const verb = new ClientVerb(name).copyInheritedSettings(godwit)
    addFlags(verb, groups)
    addUnavailableFlags(verb)
    addExamples(verb, examples)
    verb.addHelpText('after', EXIT_CODES)
    godwit.addCommand(verb)
    return common(verb)
  }

  add('pub', PUB_GROUPS, PUB_EXAMPLES)
    .summary('Publish messages')
    .description('Publish a message, or many, and wait until the server has acknowledged them. Takes the flags of mosquitto_pub')
    .argument('[topic]', 'what to publish to')
    .argument('[payload]', 'what to publish')
    .action((topic: string | undefined, payload: string | undefined, flags: PubFlags) =>
      finish(import('./pub/pub.ts').then(({ pub }) => pub(given(topic, payload), flags)))
    )

  add('sub', SUB_GROUPS, SUB_EXAMPLES)
    .summary('Subscribe, and show the messages')
    .description('Subscribe, and show the messages that come. Takes the flags of mosquitto_sub')
    .argument('[filters...]', 'Topic Filters to subscribe to')
    .action((filters: readonly string[], flags: SubFlags) =>
      finish(import('./sub/sub.ts').then(({ sub }) => sub(filters, flags)))
    )

  add('request', REQUEST_GROUPS, REQUEST_EXAMPLES)
    .summary('Publish a request, and show the reply')
    .description('Publish a request with a Response Topic, wait for the reply, and show it (5.0)')
    .argument('[topic]', 'what to ask')
    .argument('[payload]', 'the question')
    .action((topic: string | undefined, payload: string | undefined, flags: RequestFlags) =>
      finish(import('./request/request.ts').then(({ request }) => request(given(topic, payload), flags)))
    )

  const profile = common(godwit.command('profile')).description('Keep what it takes to connect to a server, under a name')
  addProfileVerbs(profile, common, finish)
}

function given(...args: readonly (string | undefined)[]): string[] {
  return args.filter((arg) => arg !== undefined)
}
