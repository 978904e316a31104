import { defaultClientConditions, defineConfig } from 'vite'

export default defineConfig({
  // Only here, beside the sources of the library, which are used without a build; an application needs no such setting.
  resolve: { conditions: ['godwit-source', ...defaultClientConditions] }
})
