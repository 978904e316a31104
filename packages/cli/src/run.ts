import { Command, CommanderError } from 'commander'
import { addBenchVerb } from './bench/bench-verb.ts'
import { addClientVerbs } from './client-verbs.ts'
import { addCompletionVerb } from './completion/completion-verb.ts'
import { ExitCode } from './exit-code.ts'
import { Misuse } from './misuse.ts'
import { SERVE_FLAGS, type ServeFlags } from './serve-flags.ts'
import { addStoreVerbs } from './store-verbs.ts'
import { version } from './version.ts'

/** Runs the verb that the arguments name, and ends the process with its exit code. */
export async function run(argv: readonly string[]): Promise<void> {
  const finish = (verb: Promise<ExitCode>): Promise<void> => verb.then((code) => void (process.exitCode = code))
  try {
    await program(finish).parseAsync(argv)
  } catch (error) {
    if (error instanceof Misuse) {
      console.error(`godwit: ${error.message}`)
      process.exitCode = ExitCode.Misused
      return
    }
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode === 0 ? ExitCode.Done : ExitCode.Misused
  }
}

/** The verbs and flags. What a verb needs is loaded when it is called. */
export function program(finish: (verb: Promise<ExitCode>) => Promise<void>): Command {
  const godwit = new Command('godwit')
    .description('An MQTT broker for 3.1, 3.1.1 and 5.0, and the tools to use it and others')
    .exitOverride()
    // What comes after a verb is the verb's: a payload may look like a flag of ours.
    .enablePositionalOptions()
    .configureOutput({
      getOutHelpWidth: () => helpWidth(process.stdout),
      getErrHelpWidth: () => helpWidth(process.stderr),
      outputError: (message, write) => write(`godwit: ${oneLine(message)}\n`)
    })
  common(godwit)

  const serve = common(godwit.command('serve')).description('Run a broker; without flags it listens on loopback')
  for (const { flag, value, description } of SERVE_FLAGS) {
    serve.option(value === undefined ? flag : `${flag} <${value}>`, description)
  }
  serve.action((flags: ServeFlags) => finish(import('./serve.ts').then(({ serve }) => serve(flags))))

  common(godwit.command('check-config'))
    .description('Check a configuration file and print it with every default')
    .argument('<file>', 'a YAML or JSON file')
    .action((file: string) => finish(import('./check-config.ts').then(({ checkConfig }) => checkConfig(file))))

  common(godwit.command('hash-password'))
    .description('Read a password from standard input and print its hash, for access.users in a configuration file')
    .action(() => finish(import('./hash-password.ts').then(({ hashPassword }) => hashPassword())))

  const store = common(godwit.command('store')).description('Check, back up, restore, export or import the data of a broker')
  addStoreVerbs(store, common, finish)
  addClientVerbs(godwit, common, finish)
  addBenchVerb(godwit, common, finish)
  addCompletionVerb(godwit, common)
  return godwit
}

/** Longer lines are hard to read. */
const HELP_WIDTH_MAX = 100

function helpWidth({ columns }: NodeJS.WriteStream): number {
  return Math.min(columns ?? HELP_WIDTH_MAX, HELP_WIDTH_MAX)
}

/** `-h` is left to those who expect it to be the host. */
function common(command: Command): Command {
  return command
    .helpOption('--help', 'Show what is accepted')
    .helpCommand(false)
    .version(version(), '--version', 'Show the version')
}

/** `error: unknown option '--prot'`, and a suggestion on a line of its own. */
function oneLine(message: string): string {
  return message
    .trim()
    .replace(/^error: /, '')
    .replace(/\s*\n\(Did you mean (.*)\)$/, '; did you mean $1')
    .replaceAll(/\s*\n\s*/g, ' ')
}
