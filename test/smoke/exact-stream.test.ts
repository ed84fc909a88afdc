import { describe, expect } from 'vitest'
import type { ModelServerDouble } from '../support/fault-server.ts'
import { pollToEnd, readStream, readToEnd } from './event-connection.ts'
import { createEventJournal } from './event-journal.ts'
import type { EventJournal } from './event-journal.ts'
import { seededRandom } from './seeded-random.ts'
import { customStep, getJson, taskOf, test } from './smoke-test.ts'
import type { SeenWorkflow } from './smoke-test.ts'

const cuts = 12
/** More text than a connection may read before it is cut, so that no cut waits for text that is held back. */
const textPerCut = 700
const mostBytesPerCut = 600

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

const texts: Readonly<Record<string, string>> = {
  left: hostileText(1, (cuts + 2) * textPerCut),
  right: hostileText(2, (cuts + 2) * textPerCut),
  last: hostileText(3, 3000),
}

/** What a model's text is after it has been made well-formed. */
const wellFormed = (text: string) => text.replaceAll('\0', '\ufffd')

/** Holds the models' text back until so many characters may be said. */
function createValve() {
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

function talk(model: ModelServerDouble, valve: ReturnType<typeof createValve>): void {
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

function expectExact(journal: EventJournal, outputs: Readonly<Record<string, string | null>>): void {
  expect(journal.faults()).toEqual([])
  expect(journal.kept()).toEqual(outputs)
}

describe('a stream over a real socket', { timeout: 60_000 }, () => {
  test('is exact, however often it is cut, while the model still talks', async ({ site, model }) => {
    const pick = seededRandom(20_260)
    const valve = createValve()
    talk(model, valve)
    await site.start({ SSE_HEARTBEAT_SECONDS: '0.05' })
    const steps = [customStep('left'), customStep('right'), customStep('last', ['left', 'right'])]
    const body = { type: 'custom', requirement: 'Texts that hurt.', steps }

    const journal = createEventJournal()
    valve.raise(textPerCut)
    const started = await readStream(`${site.url()}/workflows`, journal, { body, cutAfterBytes: 4000 })
    expect(started).toMatchObject({ status: 200, end: 'cut' })
    const id = journal.lifecycle()[0]?.workflow_id ?? ''
    const events = `${site.url()}/workflows/${id}/events`
    const polled = createEventJournal()
    const polling = pollToEnd(() => events, polled)
    for (let n = 2; n <= cuts; n += 1) {
      valve.raise(n * textPerCut)
      const cutAfterBytes = pick(1, mostBytesPerCut)
      expect(await readStream(events, journal, { cutAfterBytes })).toMatchObject({ status: 200, end: 'cut' })
    }
    const watching = readToEnd(() => events, journal)
    await journal.until(() => journal.text('left', 1).length > 500 && journal.text('right', 1).length > 500)
    expect(model.calls.map(({ running }) => running)).toEqual([true, true])
    valve.raise(Infinity)
    await Promise.all([watching, polling])

    const { steps: ended } = await getJson<SeenWorkflow>(`${site.url()}/workflows/${id}`)
    const outputs = Object.fromEntries(ended.map((step) => [step.id, step.output]))
    expect(outputs).toEqual(Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, wellFormed(text)])))
    expect(journal.lifecycle().at(-1)?.type).toBe('workflow.completed')
    expectExact(journal, outputs)
    expectExact(polled, outputs)
    expect(polled.lifecycle()).toEqual(journal.lifecycle())
    expect(await readStream(events, journal)).toMatchObject({ status: 204, bytes: 0 })

    const late = createEventJournal()
    for (let n = 0; n < cuts; n += 1) await readStream(events, late, { cutAfterBytes: pick(1, 30_000) })
    await readToEnd(() => events, late)
    expectExact(late, outputs)
    expect(late.lifecycle()).toEqual(journal.lifecycle())
  })
})
