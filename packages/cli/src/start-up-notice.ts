import type { DataReport, Server } from '@godwit/server'

/** What the operator should know of a server that has just started. */
export interface StartUpNotice {
  readonly version: string
  readonly listensOn: readonly string[]
  readonly data: string
  /** Who may connect. */
  readonly access: string
  /** What is switched off for safety, and how to switch it on. */
  readonly off: readonly string[]
  readonly readyInMs: number
}

export function startUpNotice(server: Server, readyInMs: number): StartUpNotice {
  const { version } = server.health
  return {
    version,
    listensOn: server.urls,
    data: dataText(server.data),
    access: accessText(server),
    off: switchedOff(server),
    readyInMs: Math.round(readyInMs)
  }
}

/** For people, or as one line of JSON for programs. */
export function noticeText(notice: StartUpNotice, format: 'text' | 'json'): string {
  if (format === 'json') return `${JSON.stringify({ msg: 'ready', ...notice })}\n`
  const { version, listensOn, data, access, off, readyInMs } = notice
  return [
    `Godwit ${version}: MQTT 3.1, 3.1.1 and 5.0`,
    ...rows('listens on', listensOn),
    ...rows('access', [access]),
    ...rows('data', [data]),
    ...rows('off for safety', off),
    `ready in ${readyInMs} ms`,
    ''
  ].join('\n')
}

function rows(title: string, values: readonly string[]): string[] {
  return values.map((value, index) => `  ${(index === 0 ? title : '').padEnd(16)}${value}`)
}

function dataText({ folder, isNew, sessions, retainedMessages, setAside }: DataReport): string {
  if (folder === undefined) return 'in memory: nothing survives a restart, and what is acknowledged is lost with the process'
  if (setAside !== undefined) return `${folder}, begun anew: what was damaged is in ${setAside.folder}`
  if (isNew) return `${folder}, which is new`
  return `${folder}, with ${counted(sessions, 'session')} and ${counted(retainedMessages, 'retained message')}`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function accessText({ configuration: { access }, exposure }: Server): string {
  const users = access.users.length === 0 ? [] : [`${counted(access.users.length, 'user')}, by password`]
  const anonymous = exposure.anonymous ? [users.length === 0 ? 'everybody' : 'everybody without a user name'] : []
  return [...users, ...anonymous].join(', and ') || 'nobody: there are no users, and anonymous access is off'
}

function switchedOff({ exposure, configuration: { http } }: Server): string[] {
  if (exposure.isConfigured) return []
  const off = ['connections from other machines, as access is not configured (access.users, --allow-anonymous)']
  if (http.enabled && http.webSocket && http.allowedOrigins === undefined) {
    off.push('WebSocket for web pages that are not of this machine (http.allowedOrigins)')
  }
  return off
}
