export { configurationSchema } from './configuration-schema.ts'
