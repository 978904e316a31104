import { parseSync, Visitor } from 'vite'

/** Every module that a source names: imports, re-exports, `import()` of a literal, and `import('x')` in a type. */
export function importedModules(path: string, text: string): string[] {
  const parsed = parseSync(path, text)
  const problem = parsed.errors[0]
  if (problem !== undefined) throw new SyntaxError(`${path}: ${problem.message}`)
  const modules = new Set<string>()
  new Visitor({
    ImportDeclaration: (node) => void modules.add(node.source.value),
    ExportAllDeclaration: (node) => void modules.add(node.source.value),
    ExportNamedDeclaration: (node) => {
      if (node.source !== null) modules.add(node.source.value)
    },
    ImportExpression: (node) => {
      if (node.source.type === 'Literal' && typeof node.source.value === 'string') modules.add(node.source.value)
    },
    TSImportType: (node) => void modules.add(node.source.value)
  }).visit(parsed.program)
  return [...modules]
}

/** The names that a module keeps in a `let` of its own: state that every broker in the process would share. */
export function moduleLevelVariables(path: string, text: string): string[] {
  const names: string[] = []
  for (const statement of parseSync(path, text).program.body) {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (declaration?.type !== 'VariableDeclaration' || declaration.kind !== 'let') continue
    for (const { id } of declaration.declarations) names.push(id.type === 'Identifier' ? id.name : 'a pattern')
  }
  return names
}
