// Publishes notes from a page that may be offline, reloaded or closed, and shows those of everybody.
import { openClient } from '@godwit/client'
import { indexedDbOutbox } from '@godwit/client/indexed-db-outbox'

const state = find('#state', HTMLOutputElement)
const waiting = find('#waiting', HTMLOutputElement)
const form = find('#form', HTMLFormElement)
const note = find('#note', HTMLInputElement)
const published = find('#published', HTMLUListElement)
const received = find('#received', HTMLOListElement)

const broker = new URLSearchParams(location.search).get('broker') ?? `ws://${location.hostname}:8083/mqtt`

// Resolves whether there is a network or not: the client connects in the background, and again whenever it has to.
const client = await openClient(broker, { outbox: indexedDbOutbox('field-notes') }).catch((error: unknown) => {
  // Another tab has the outbox, or the browser keeps nothing for this page.
  state.value = String(error)
  throw error
})

client.on('state', ({ state: now }) => (state.value = now))
state.value = client.state
for (const event of ['connected', 'delivered', 'discarded'] as const) client.on(event, showWaiting)
showWaiting()

form.addEventListener('submit', (event) => {
  event.preventDefault()
  void publish(note.value)
  form.reset()
})

async function publish(text: string): Promise<void> {
  const item = add(published, text, 'accepted')
  const delivery = client.publish('field/notes', text, { qos: 1 })
  try {
    // From here on it survives a reload, a crash and power.
    await delivery.stored
    item.dataset['fate'] = 'kept'
    showWaiting()
    await delivery
    item.dataset['fate'] = 'delivered'
  } catch (error) {
    item.dataset['fate'] = 'discarded'
    item.title = String(error)
  }
}

// A message is acknowledged when the loop asks for the next one.
for await (const message of client.subscribe('field/notes', { qos: 1 })) add(received, message.text(), 'received')

function showWaiting(): void {
  waiting.value = String(client.outbox.messages)
}

function add(list: HTMLElement, text: string, fate: string): HTMLLIElement {
  const item = document.createElement('li')
  item.textContent = text
  item.dataset['fate'] = fate
  list.append(item)
  return item
}

function find<Type extends Element>(selector: string, type: new () => Type): Type {
  const found = document.querySelector(selector)
  if (found instanceof type) return found
  throw new Error(`the page has no ${selector}`)
}
