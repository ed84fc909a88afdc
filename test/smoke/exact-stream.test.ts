import { describe, expect } from 'vitest'
import { pollToEnd, readStream, readToEnd } from './event-connection.ts'
import { createEventJournal } from './event-journal.ts'
import type { EventJournal } from './event-journal.ts'
import { createValve, cuts, mostBytesPerCut, talk, textPerCut, texts, wellFormed } from './hostile-texts.ts'
import { seededRandom } from './seeded-random.ts'
import { customStep, getJson, test } from './smoke-test.ts'
import type { SeenWorkflow } from './smoke-test.ts'

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
