import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'

const root = join(import.meta.dirname, '..', '..')

/** Where a file of the project is. */
export function projectPath(path: string): string {
  return join(root, path)
}

/** The text of a file of the project. */
export function readProjectFile(path: string): string {
  return readFileSync(projectPath(path), 'utf8')
}

/** A file of the project that holds one YAML document, anchors and merge keys resolved. */
export function readYaml(path: string): unknown {
  return parse(readProjectFile(path), { merge: true, strict: true })
}

/** Every YAML document of a text. Throws at the first that cannot be read. */
export function parseYamlDocuments(text: string): readonly unknown[] {
  return parseAllDocuments(text, { merge: true, strict: true }).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0]
    return document.toJS() as unknown
  })
}

/** The anchors of the headings of a Markdown file, as code hosts make them. */
export function anchorsOf(path: string): readonly string[] {
  const headings = readProjectFile(path).matchAll(/^#{1,6} (.+)$/gm)
  return [...headings].map(([, text = '']) =>
    text
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}
