import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { chromium, type Browser } from 'playwright-core'

/** A Chromium that keeps what its pages store in a folder, and can be killed like any process. */
export class KillableChromium {
  readonly browser: Browser
  readonly #process: ChildProcess

  private constructor(browser: Browser, process: ChildProcess) {
    this.browser = browser
    this.#process = process
  }

  static async launch(executablePath: string, profile: string): Promise<KillableChromium> {
    const flags = ['--headless', '--no-sandbox', '--no-first-run', '--remote-debugging-port=0', `--user-data-dir=${profile}`]
    // In a process group of its own, to be killed with all that it starts.
    const process = spawn(executablePath, [...flags, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
    for await (const line of createInterface({ input: process.stderr })) {
      const [, endpoint] = line.match(/^DevTools listening on (ws:.*)$/) ?? []
      if (endpoint !== undefined) return new KillableChromium(await chromium.connectOverCDP(endpoint), process)
    }
    throw new Error('chromium ended before it could be used')
  }

  /** Ends all of its processes at once. */
  async kill(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#process
    if (pid === undefined || exitCode !== null || signalCode !== null) return
    const ended = once(this.#process, 'exit')
    process.kill(-pid, 'SIGKILL')
    await ended
  }
}
