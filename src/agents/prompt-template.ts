/** What a prompt may name between double braces. */
export type PromptValues = Readonly<Record<string, unknown>>

const blockSection = /^[ \t]*\{\{[#^]([\w.-]+)\}\}[ \t]*\n([\s\S]*?)^[ \t]*\{\{\/\1\}\}[ \t]*(?:\n|$)/gm
const inlineSection = /\{\{[#^]([\w.-]+)\}\}(.*?)\{\{\/\1\}\}/g
const placeholder = /\{\{([\w-]+)\}\}/g
const anyTag = /\{\{[#^]?([\w-]+)(?:\.[\w-]+)?\}\}/g

/**
 * Weaves values into a prompt: `{{key}}` is the value, a list joined by commas; `{{#key}}…{{/key}}` stays when the
 * value is set (not false, 0, null or empty), `{{^key}}…{{/key}}` when it is not; `{{#key.item}}` asks whether the
 * list contains the item. A placeholder without a value is left as it is; what a value contains is never expanded.
 */
export function renderPrompt(template: string, values: PromptValues): string {
  return renderSections(template, values).replace(placeholder, (tag: string, key: string) =>
    Object.hasOwn(values, key) ? formatPromptValue(values[key]) : tag,
  )
}

/** The keys that a template names in placeholders and sections, without list items. */
export function keysOfPrompt(template: string): ReadonlySet<string> {
  return new Set(Array.from(template.matchAll(anyTag), (match) => match[1] ?? ''))
}

/** A configured value as a reader of the prompt understands it. */
export function formatPromptValue(value: unknown): string {
  if (Array.isArray(value)) return value.map(formatPromptValue).join(', ')
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string') return value
  return value === null || value === undefined ? 'not set' : JSON.stringify(value)
}

function renderSections(template: string, values: PromptValues): string {
  const replace = (section: string, key: string, body: string): string => {
    const inverted = section.trimStart().startsWith('{{^')
    return isSet(key, values) === inverted ? '' : renderSections(body, values)
  }
  return template.replace(blockSection, replace).replace(inlineSection, replace)
}

function isSet(key: string, values: PromptValues): boolean {
  const [name = '', item] = key.split('.', 2)
  const value = Object.hasOwn(values, name) ? values[name] : undefined
  if (item === undefined) return Array.isArray(value) ? value.length > 0 : Boolean(value)
  return Array.isArray(value) ? value.includes(item) : value === item
}
