/** What stands between two tags of a prompt. */
export interface Section {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly text: string
}

/** A prompt, taken apart. */
export interface ReadPrompt {
  /** All that stands outside of tags, each section replaced by ⟦name⟧. */
  readonly frame: string
  readonly sections: readonly Section[]
}

const openingTag = /^<([a-z-]+)-([0-9a-f]{16})((?: [a-z]+="(?:[^"\\<>]|\\.)*")*)>$/

/** Reads a user prompt as strictly as one can: a tag is a line of its own and ends as the prompt's rule says. */
export function readPrompt(prompt: string): ReadPrompt {
  const nonce = /names end in -([0-9a-f]{16}) /.exec(prompt)?.[1] ?? ''
  const frame: string[] = []
  const sections: Section[] = []
  const lines = prompt.split('\n')
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? ''
    const tag = openingTag.exec(line)
    if (tag?.[2] !== nonce) {
      frame.push(line)
      continue
    }
    const [, name = '', , attributes = ''] = tag
    const end = lines.indexOf(`</${name}-${nonce}>`, at)
    if (end === -1) throw new Error(`${name} is not closed`)
    sections.push({ name, attributes: readAttributes(attributes), text: lines.slice(at + 1, end).join('\n') })
    frame.push(`⟦${name}⟧`)
    at = end
  }
  return { frame: frame.join('\n'), sections }
}

function readAttributes(text: string): Readonly<Record<string, string>> {
  const pairs = Array.from(text.matchAll(/ ([a-z]+)=("(?:[^"\\]|\\.)*")/g), ([, name = '', value = '']) => {
    return [name, JSON.parse(value) as string] as const
  })
  return Object.fromEntries(pairs)
}
