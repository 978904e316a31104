import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import type { Health } from './health.ts'

/** What the HTTP port answers to. In a module of its own, with what it is made of: a broker that starts need not load it. */
export function httpApplication(health: Health): ReturnType<typeof getRequestListener> {
  const app = new Hono()
  app.use(async (context, next) => {
    await next()
    context.header('Cache-Control', 'no-store')
    context.header('X-Content-Type-Options', 'nosniff')
  })
  app.get('/health', (context) => context.json(health.report()))
  app.get('/health/live', (context) => context.json({ status: 'ok' }))
  app.get('/health/ready', (context) => {
    const { status, alarms } = health.report()
    return context.json(alarms.length === 0 ? { status } : { status, alarms }, health.isReady ? 200 : 503)
  })
  app.notFound((context) => context.text('Not found\n', 404))
  return getRequestListener(app.fetch)
}
