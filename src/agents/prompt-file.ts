import { readFileSync } from 'node:fs'
import type { TaskType } from './agent.ts'

const promptDirectory = new URL('prompts/', import.meta.url)
const deliverablesSection = /^## Deliverables[ \t]*\n([\s\S]*?)(?=^## |$(?![\s\S]))/m

/** A Markdown prompt with line feeds only and without byte order mark. Throws what `fs` throws. */
export function readPromptFile(path: string | URL): string {
  return normalizeMarkdown(readFileSync(path, 'utf8'))
}

/** A prompt that comes with the service, by its name below `prompts/` without `.md`. */
export function readBuiltInPrompt(name: string): string {
  return readPromptFile(new URL(`${name}.md`, promptDirectory))
}

/** The text of the first-level heading that a prompt begins with, if it does. */
export function titleOfPrompt(markdown: string): string | undefined {
  return /^\s*# (.+)/.exec(markdown)?.[1]?.trim()
}

/** The first paragraph after the title, on one line. */
export function leadOfPrompt(markdown: string): string {
  const [lead = ''] = withoutTitle(markdown).split(/\n[ \t]*\n/, 1)
  return onOneLine(lead)
}

/**
 * Takes a task type from Markdown: a first-level heading is its title (without one the name is), the items of a
 * section `## Deliverables` are its deliverables, and all the rest are its instructions.
 */
export function parseTaskType(name: string, markdown: string): TaskType {
  const text = normalizeMarkdown(markdown)
  const list = deliverablesSection.exec(text)?.[1] ?? ''
  return {
    name,
    title: titleOfPrompt(text) ?? titleFromName(name),
    instructions: withoutTitle(text.replace(deliverablesSection, '')).trim(),
    deliverables: list
      .split(/^[-*] /m)
      .slice(1)
      .map(onOneLine),
  }
}

/** `penetration_test` → `Penetration test`. */
export function titleFromName(name: string): string {
  const words = name.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function withoutTitle(markdown: string): string {
  return markdown.replace(/^\s*# .+\n*/, '').trimStart()
}

function normalizeMarkdown(markdown: string): string {
  return markdown.replace(/^\uFEFF/, '').replaceAll(/\r\n?/g, '\n')
}

function onOneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ')
}
