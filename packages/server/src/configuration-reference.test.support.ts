import { type LimitName, LIMITS } from '@godwit/broker'
import { acceptedText, branchesOf, jsonSchemaOf, propertiesOf, type SchemaNode } from './accepted-values.ts'
import { valueAt, valueOf } from './configuration-path.ts'
import { configurationSchema } from './configuration-schema.ts'

const BEGIN = '<!-- The reference below is made from the schema: `npx vitest run packages/server -u` -->'
const END = '<!-- The end of the reference -->'

/** A page with the reference between its marks replaced by the current one. */
export function withReference(page: string): string {
  const [before, rest] = page.split(BEGIN)
  const [, after] = rest?.split(END) ?? []
  if (before === undefined || after === undefined) throw new Error('the page has no marks for the reference')
  return `${before}${BEGIN}\n${configurationReference()}\n${END}${after}`
}

/** Every key, with its default, what is accepted, and what it means. */
function configurationReference(): string {
  const schema = jsonSchemaOf(configurationSchema)
  const keys = propertiesOf(schema)
  const sections = Object.entries(keys).flatMap(([key, node]) => (isSection(node) ? [section(key, node)] : []))
  const others = Object.entries(keys).filter(([, node]) => !isSection(node))
  const table = rows(
    ['key', 'default', 'accepted', 'meaning'],
    others.map(([key, node]) => row(key, node, schema))
  )
  return [`### Single keys\n${table}`, ...sections].join('\n\n')
}

function isSection(node: SchemaNode): boolean {
  return node['type'] === 'object' || isList(node)
}

/** A list of mappings. */
function isList(node: SchemaNode): boolean {
  return branchesOf(itemOf(node)).length > 0 || Object.keys(propertiesOf(itemOf(node))).length > 0
}

function section(key: string, node: SchemaNode): string {
  const heading = `### \`${key}\`\n${String(node['description'])}.\n\n`
  const kinds = branchesOf(itemOf(node))
  if (kinds.length > 0) return `${heading}${listenerTable(kinds)}`
  if (key === 'limits') return `${heading}${limitsTable(node)}`
  return `${heading}${rows(['key', 'default', 'accepted', 'meaning'], nestedRows(isList(node) ? itemOf(node) : node))}`
}

/** The keys of a mapping, and behind each those of what it holds. */
function nestedRows(node: SchemaNode, prefix = ''): string[][] {
  return Object.entries(propertiesOf(node)).flatMap(([key, child]) => {
    const inner = [...nestedRows(child, `${prefix}${key}.`), ...nestedRows(itemOf(child), `${prefix}${key}[].`)]
    return [row(key, child, node, prefix), ...inner]
  })
}

function listenerTable(kinds: readonly SchemaNode[]): string {
  const kindOf = (branch: SchemaNode): string => String(valueAt(branch, ['properties', 'kind', 'const']))
  const keys = new Set(kinds.flatMap((branch) => Object.keys(propertiesOf(branch))))
  const body = [...keys].flatMap((key) => {
    const having = kinds.filter((branch) => Object.hasOwn(propertiesOf(branch), key))
    if (key === 'kind') return [['`kind`', 'all', 'required', kinds.map(kindOf).join(', '), 'What the listener speaks']]
    // A key may mean another thing in another kind: `path`.
    const meanings = new Set(having.map((branch) => valueAt(branch, ['properties', key, 'description'])))
    return [...meanings].flatMap((meaning) => {
      const alike = having.filter((branch) => valueAt(branch, ['properties', key, 'description']) === meaning)
      const [first] = alike
      const child = first && propertiesOf(first)[key]
      if (first === undefined || child === undefined) return []
      const where = alike.length === kinds.length ? 'all' : alike.map(kindOf).join(', ')
      return [row(key, child, first), ...nestedRows(child, `${key}.`)].map(([name = '', ...others]) => [name, where, ...others])
    })
  })
  return rows(['key', 'kinds', 'default', 'accepted', 'meaning'], body)
}

function limitsTable(node: SchemaNode): string {
  const body = Object.entries(propertiesOf(node)).map(([key, child]) => {
    const [name = '', byDefault = '', , meaning = ''] = row(key, child, node)
    const { reasonCode } = isLimitName(key) ? LIMITS[key] : { reasonCode: undefined }
    const told = reasonCode === undefined ? '' : `0x${reasonCode.toString(16).toUpperCase()}`
    return [name, byDefault, `${number(child['minimum'])} to ${number(child['maximum'])}`, told, meaning]
  })
  return rows(['key', 'default', 'accepted', '5.0 is told', 'meaning'], body)
}

function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(LIMITS, name)
}

function number(value: unknown): string {
  return Number(value).toLocaleString('en')
}

/** Key, default, accepted, meaning. */
function row(key: string, node: SchemaNode, parent: SchemaNode, prefix = ''): string[] {
  const { description, default: byDefault, otherwise = 'none' } = node
  const required = valueOf(parent, 'required')
  const isRequired = Array.isArray(required) && required.includes(key)
  const text =
    byDefault === undefined ? (isRequired ? 'required' : otherwise) : `\`${JSON.stringify(byDefault).replaceAll('"', '')}\``
  if (typeof description !== 'string' || typeof text !== 'string') throw new Error(`${prefix}${key} has no description`)
  return [`\`${prefix}${key}\``, text, acceptedShort(node), description]
}

/** A mapping's keys and a list's items have rows of their own. */
function acceptedShort(node: SchemaNode): string {
  const item = itemOf(node)
  if (node['type'] === 'array') return Object.keys(propertiesOf(item)).length > 0 ? 'a list' : `a list: ${acceptedText(item)}`
  return node['type'] === 'object' ? 'a mapping' : acceptedText(node)
}

function itemOf(node: SchemaNode): SchemaNode {
  const items = valueOf(node, 'items')
  return typeof items === 'object' && items !== null ? { ...items } : {}
}

function rows(head: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...body.map(line)].join('\n')
}
