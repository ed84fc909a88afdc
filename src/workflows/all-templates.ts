import type { KnownRole } from './load-templates.ts'
import { builtInTemplates } from './templates.ts'
import type { Template } from './templates.ts'

/**
 * The built-in templates and those of the operator's YAML files, by type; what reads files is loaded only when there are
 * some. Rejects with a `TemplateError`.
 */
export async function allTemplates(
  files: readonly string[],
  roles: readonly KnownRole[],
): Promise<ReadonlyMap<string, Template>> {
  if (files.length === 0) return new Map(builtInTemplates.map((template) => [template.type, template]))
  const { loadTemplates } = await import('./load-templates.ts')
  return loadTemplates(files, roles)
}
