import { configurationText, exposureOf, loadConfiguration } from '@godwit/server'
import { complain } from './complain.ts'
import { ExitCode } from './exit-code.ts'

/** `godwit check-config FILE`: without opening ports, whether `godwit serve --config FILE` would accept it. */
export async function checkConfig(file: string): Promise<ExitCode> {
  try {
    const configuration = await loadConfiguration({ file })
    exposureOf(configuration)
    process.stdout.write(await configurationText(configuration))
    return ExitCode.Done
  } catch (error) {
    return complain(error)
  }
}
