import { z } from 'zod'
import { type ConfigurationPath, isMapping, type Mapping, valueOf } from './configuration-path.ts'

/** A part of the configuration's JSON Schema. */
export type SchemaNode = Mapping

export function jsonSchemaOf(schema: z.ZodType): SchemaNode {
  return { ...z.toJSONSchema(schema, { io: 'input' }) }
}

/** The schema of what a path leads to, with the value there to tell apart the kinds of a listener. */
export function schemaAt(schema: SchemaNode, path: ConfigurationPath, value: unknown): SchemaNode | undefined {
  let node: SchemaNode | undefined = schema
  let at = value
  for (const key of path) {
    const child: unknown = typeof key === 'number' ? valueOf(node, 'items') : valueOf(valueOf(node, 'properties'), key)
    at = valueOf(at, key)
    node = isMapping(child) ? branch(child, at) : undefined
    if (node === undefined) return undefined
  }
  return node
}

/** Of a choice among kinds, the one that the value names; else the choice itself, as a mapping with nothing but `kind`. */
function branch(node: SchemaNode, value: unknown): SchemaNode {
  const branches = branchesOf(node)
  if (branches.length === 0) return node
  const kinds = branches.map((each) => valueOf(valueOf(valueOf(each, 'properties'), 'kind'), 'const'))
  const chosen = branches[kinds.indexOf(valueOf(value, 'kind'))]
  return chosen ?? { type: 'object', properties: { kind: { enum: kinds } } }
}

/** The alternatives of a choice among kinds; none: it is no choice. */
export function branchesOf(node: SchemaNode): readonly SchemaNode[] {
  const branches = valueOf(node, 'oneOf')
  return Array.isArray(branches) ? branches.filter(isMapping) : []
}

/** The keys that a mapping accepts. */
export function acceptedKeys(node: SchemaNode): string[] {
  return Object.keys(propertiesOf(node))
}

export function propertiesOf(node: SchemaNode): Readonly<Record<string, SchemaNode>> {
  const properties = valueOf(node, 'properties')
  if (!isMapping(properties)) return {}
  return Object.fromEntries(Object.entries(properties).flatMap(([key, child]) => (isMapping(child) ? [[key, child]] : [])))
}

/** What is accepted, as it ends the sentence `accepted is ...`. */
export function acceptedText(node: SchemaNode): string {
  const { accepts, enum: values, const: value, type, minimum, maximum } = node
  if (typeof accepts === 'string') return accepts
  if (Array.isArray(values)) return values.map(String).join(', ')
  if (typeof value === 'string') return value
  switch (type) {
    case 'integer':
      return `a whole number from ${String(minimum)} to ${String(maximum)}`
    case 'boolean':
      return 'true or false'
    case 'array':
      return 'a list'
    case 'object':
      return `a mapping with ${acceptedKeys(node).join(', ')}`
    default:
      return 'text'
  }
}
