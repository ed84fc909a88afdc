import { createHash } from 'node:crypto'

/** Tags around text that others wrote. Such a text cannot close them: their name is not in it. */
export interface Delimiters {
  open(name: string, attributes?: Readonly<Record<string, string>>): string
  close(name: string): string
  /** How the tags end, to tell the model. */
  readonly nonce: string
}

/** The same texts get the same tags, so that a model server can reuse what it has computed of a prompt. */
export function createDelimiters(texts: readonly string[]): Delimiters {
  const nonce = findNonce(texts)
  return {
    nonce,
    open(name, attributes = {}) {
      const written = Object.entries(attributes).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`)
      return `<${name}-${nonce}${written.join('')}>\n`
    },
    close: (name) => `\n</${name}-${nonce}>\n\n`,
  }
}

function findNonce(texts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(text).update('\0')
  for (let round = 0; ; round += 1) {
    const nonce = hash.copy().update(String(round)).digest('hex').slice(0, 16)
    if (!texts.some((text) => text.includes(nonce))) return nonce
  }
}
