import type { ModelServerDouble } from '../support/fault-server.ts'
import { seededRandom } from './seeded-random.ts'
import { taskOf } from './smoke-test.ts'

/** How often a reader is cut while the texts grow. */
export const cuts = 12
/** More text than a connection may read before it is cut, so that no cut waits for text that is held back. */
export const textPerCut = 700
export const mostBytesPerCut = 600

const hostile = [
  'emoji 😀👩‍👩‍👧‍👦🏳️‍🌈 and 𝔘𝔫𝔦𝔠𝔬𝔡𝔢, ',
  'line\r\nline\rline\n\rline\n\n',
  'data: x\n\nevent: y\nid: 1\n\n',
  ': comment\nretry: 1\n\n',
  'separators \u2028 and \u2029, BOM \ufeff, bell \u0007, a lone \r',
  String.raw`escapes \u0000 \n \" \\ \ud83d `,
  'NUL \0 itself ',
  '<b>&amp;</b> [DONE] data: [DONE]\n\n',
  '```python:src/app.py\nprint("```")\n```\n',
  '````markdown\n```js\n```\n````\n',
]

/** A text of some length in which everything that could upset a stream stands many times. */
function hostileText(seed: number, length: number): string {
  const pick = seededRandom(seed)
  const pieces: string[] = [`Text ${seed}. `]
  for (let size = 0; size < length; size += pieces.at(-1)?.length ?? 0) {
    pieces.push(`${pieces.length} ${hostile[pick(0, hostile.length - 1)]}`)
  }
  return `${pieces.join('')}The end 😀`
}

/** Chunks of a few UTF-16 units, which split surrogate pairs and line ends. */
function chunked(text: string, seed: number): readonly string[] {
  const pick = seededRandom(seed)
  const chunks: string[] = []
  for (let at = 0; at < text.length; at += chunks.at(-1)?.length ?? 1) chunks.push(text.slice(at, at + pick(1, 9)))
  return chunks
}

/** What each step says, and how often a reader may be cut while it does. */
export const texts: Readonly<Record<string, string>> = {
  left: hostileText(1, (cuts + 2) * textPerCut),
  right: hostileText(2, (cuts + 2) * textPerCut),
  last: hostileText(3, 3000),
}

/** What a model's text is after it has been made well-formed. */
export const wellFormed = (text: string) => text.replaceAll('\0', '\ufffd')

/** Holds the models' text back until so many characters may be said. */
export function createValve() {
  const waiting: { readonly length: number; readonly resolve: () => void }[] = []
  let open = 0
  return {
    raise(length: number) {
      open = Math.max(open, length)
      for (const waiter of waiting) if (waiter.length <= open) waiter.resolve()
    },
    reached: (length: number) =>
      new Promise<void>((resolve) => {
        if (length <= open) resolve()
        else waiting.push({ length, resolve })
      }),
  }
}

/** Has the model say its texts in little pieces: `last` at once, the others as far as the valve is open. */
export function talk(model: ModelServerDouble, valve: ReturnType<typeof createValve>): void {
  model.answerWith(({ user, index }) => {
    const id = Object.keys(texts).find((name) => user.includes(taskOf(name))) ?? ''
    const text = texts[id] ?? ''
    const chunks = chunked(text, index)
    const ends = chunks.map(() => 0)
    let said = 0
    for (const [at, chunk] of chunks.entries()) ends[at] = said += chunk.length
    return { text, chunks, before: (at) => (id === 'last' ? undefined : valve.reached(ends[at] ?? 0)) }
  })
}
