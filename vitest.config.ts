import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Sources are tested as they are, without a build.
  ssr: { resolve: { conditions: ['godwit-source', ...defaultServerConditions] } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'conformance/src/**/*.test.ts',
      'checks/*.test.ts',
      'interop/**/*.test.ts',
      'soak/**/*.test.ts',
      'simulation/**/*.test.ts',
      'crash/**/*.test.ts',
      'bench/**/*.test.ts'
    ],
    // docs/decisions/0012
    execArgv: ['--wasm-wrapper-tiering-budget=1000000000'],
    // Nothing waits for time to pass, but a loaded machine may start a process slowly.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // A variable that one test sets in the environment is gone in the next.
    unstubEnvs: true,
    restoreMocks: true
  }
})
