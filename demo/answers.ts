import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The written answer of one step. */
export interface ScriptedAnswer {
  readonly type: string
  readonly step: string
  readonly text: string
}

/** Folder of the answers: `<type>/<step>.md`. */
const ANSWERS_DIRECTORY = join(import.meta.dirname, 'answers')

/** Reads every written answer. Step ids are unique across the templates, so a step names its answer. */
export async function readAnswers(directory: string = ANSWERS_DIRECTORY): Promise<readonly ScriptedAnswer[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
  return Promise.all(
    files.map(async (file) => ({
      type: file.parentPath.slice(directory.length + 1),
      step: file.name.slice(0, -'.md'.length),
      text: await readFile(join(file.parentPath, file.name), 'utf8'),
    })),
  )
}
