import { randomUUID } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { noUsage } from '../../src/workflows/workflow.ts'
import { artifact, call, change, event, moment, step } from './fixtures.ts'
import type { StoreBench } from './store-bench.ts'

const usage = {
  inputTokens: 10,
  outputTokens: 20,
  cachedTokens: 3,
  reasoningTokens: 4,
  costUsd: 0.25,
  estimated: false,
}

/** What events, texts, files and the ledger promise. */
export function describeResults(bench: StoreBench): void {
  describe('events', () => {
    it('come in pages with the status of the same moment', async () => {
      const before = await bench.created({ seq: 5 })
      const page = await bench.storage().store.eventsAfter(before.id, 1, 2)
      expect(page).toMatchObject({ status: 'queued', seq: 5 })
      expect(page?.events.map(({ seq }) => seq)).toEqual([2, 3])
      expect((await bench.storage().store.eventsAfter(before.id, 5, 2))?.events).toEqual([])
    })

    it('tell which attempts were open after each of them', async () => {
      const before = await bench.created()
      const events = [
        event(2, 'step.started', { step: 'step-0', attempt: 1 }),
        event(3, 'step.started', { step: 'step-1', attempt: 1 }),
        event(4, 'step.retrying', { step: 'step-0', attempt: 1 }),
        event(5, 'step.started', { step: 'step-0', attempt: 2 }),
        event(6, 'step.completed', { step: 'step-1', attempt: 1 }),
        event(7, 'step.cancelled', { step: 'step-0', attempt: 2 }),
      ]
      expect(await bench.storage().store.commit(change(before, {}, { events }))).toBe(true)
      const openAt = async (seq: number): Promise<string[]> =>
        (await bench.storage().store.attemptsOpenAt(before.id, seq)).map(
          (open) => `${open.stepIndex} ${open.step}@${open.attempt}`,
        )
      expect(await openAt(1)).toEqual([])
      expect(await openAt(3)).toEqual(['0 step-0@1', '1 step-1@1'])
      expect(await openAt(4)).toEqual(['1 step-1@1'])
      expect(await openAt(5)).toEqual(['0 step-0@2', '1 step-1@1'])
      expect(await openAt(7)).toEqual([])
    })
  })

  describe('outputs, attempts and artifacts', () => {
    it('keeps the text of an attempt, and shows the newest kept one in the record', async () => {
      const before = await bench.created()
      const text = `a🦄b\r\n\r\ndata: "x"\u2028${'long '.repeat(5000)}`
      const record = {
        stepIndex: 0,
        attempt: 1,
        status: 'open' as const,
        startedAt: moment,
        endedAt: null,
        endpoint: 'default',
        model: null,
        finishReason: null,
        error: null,
      }
      const opened = change(before, {}, { attempts: [record] })
      expect(await bench.storage().store.commit(opened)).toBe(true)
      const closed = { ...record, status: 'kept' as const, endedAt: moment + 5, model: 'm', finishReason: 'stop' }
      const kept = change(
        opened.state,
        { steps: [step(0, { keptAttempt: 1, attempt: 1, status: 'completed' }), step(1)] },
        { changedSteps: [0], attempts: [record, closed], outputs: [{ stepIndex: 0, attempt: 1, text }] },
      )
      expect(await bench.storage().store.commit(kept)).toBe(true)
      expect(await bench.storage().store.output(before.id, 0, 1)).toBe(text)
      expect(await bench.storage().store.output(before.id, 0, 2)).toBeNull()
      expect((await bench.storage().store.record(before.id))?.outputs).toEqual(new Map([[0, text]]))
      expect(await bench.storage().store.attempts(before.id, 0)).toEqual([{ ...closed, usage: noUsage, output: text }])
      expect(await bench.storage().store.attempts(before.id, 1)).toEqual([])
    })

    it('has every version of a file, and as current the newest of what is a result', async () => {
      const before = await bench.created()
      const result = (index: number, keptAttempt: number, status: 'completed' | 'failed' = 'completed') =>
        step(index, { ...before.steps[index], keptAttempt, status })
      const first = change(
        before,
        { steps: [result(0, 1), result(1, 1)] },
        {
          changedSteps: [0, 1],
          outputs: [0, 1].map((stepIndex) => ({ stepIndex, attempt: 1, text: `text ${stepIndex}` })),
          artifacts: [
            artifact('src/a.ts', { content: 'one é' }),
            artifact('src/a.ts', { content: 'two', version: 2, stepIndex: 1 }),
            artifact('B', { content: 'one é' }),
          ],
        },
      )
      expect(await bench.storage().store.commit(first)).toBe(true)
      const { id } = before
      const { store } = bench.storage()
      const listed = async (): Promise<string[]> => (await store.artifacts(id)).map((a) => `${a.path} ${a.version}`)
      expect(await listed()).toEqual(['B 1', 'src/a.ts 2'])
      expect((await store.artifacts(id))[0]).toMatchObject({ bytes: 6, createdAt: moment, mediaType: 'text/plain' })
      expect(await store.artifactVersions(id, ['src/a.ts', 'B', 'none'])).toEqual(
        new Map([
          ['src/a.ts', 2],
          ['B', 1],
        ]),
      )
      const current = await store.artifact(id, 'src/a.ts', null)
      expect(current).toMatchObject({ path: 'src/a.ts', version: 2, stepIndex: 1, attempt: 1, bytes: 3 })
      expect(Buffer.isBuffer(current?.content) && current.content.toString()).toBe('two')
      expect((await store.artifact(id, 'src/a.ts', 1))?.content.toString()).toBe('one é')
      expect(await store.artifact(id, 'src/a.ts', 3)).toBeNull()

      const files = [
        { path: 'B', content: 'one é' },
        { path: 'src/a.ts', content: 'one é' },
      ]
      const of = [1, 0].map((stepIndex) => ({ stepIndex, attempt: 1 }))
      expect(await store.results(id, of)).toEqual([
        { stepIndex: 1, output: 'text 1', files: [{ path: 'src/a.ts', content: 'two' }] },
        { stepIndex: 0, output: 'text 0', files },
      ])
      expect(await store.results(id, [])).toEqual([])

      const undone = change(first.state, { steps: [result(0, 1), result(1, 1, 'failed')] }, { changedSteps: [1] })
      expect(await store.commit(undone)).toBe(true)
      expect(await listed()).toEqual(['B 1', 'src/a.ts 1'])
      expect((await store.artifact(id, 'src/a.ts', 2))?.content.toString()).toBe('two')
    })
  })

  describe('the ledger', () => {
    const makeCall = async (id: string, changes: Parameters<typeof call>[1]) => {
      const made = call(id, changes)
      expect(await bench.storage().store.commit(change(await bench.load(id), {}, { calls: [made] }))).toBe(true)
      return made
    }

    it('counts what is spent: a settled call by its cost, an open one by the most that it may cost', async () => {
      const { id } = await bench.created()
      const { store } = bench.storage()
      expect(await store.spent(id, [])).toEqual({ calls: 0, tokens: 0, costUsd: 0 })
      const settled = await makeCall(id, { reservedCostUsd: 9 })
      await store.settleCall({ id: settled.id, usage: { ...usage, costUsd: 0.25 }, finishReason: 'stop' })
      const open = await makeCall(id, { estimatedInputTokens: 100, maxTokens: 500, reservedCostUsd: 1.5 })
      await makeCall(id, { estimatedInputTokens: 1, maxTokens: 2 })
      const tokens = usage.inputTokens + usage.outputTokens
      expect(await store.spent(id, [])).toEqual({ calls: 3, tokens: tokens + 603, costUsd: 1.75 })
      expect(await store.spent(id, [open.id])).toEqual({ calls: 2, tokens: tokens + 3, costUsd: 0.25 })
    })

    it('sums calls by step and attempt, an unsettled one by its estimate', async () => {
      const before = await bench.created()
      const { id } = before
      const { store } = bench.storage()
      const inside = call(id)
      expect(await store.commit(change(before, {}, { calls: [inside] }))).toBe(true)
      const sum = async () => (await bench.load(id)).steps[0]?.usage
      const estimate = { ...noUsage, inputTokens: 100, llmCalls: 1, estimated: true }
      expect(await sum()).toEqual(estimate)
      await store.settleCall({ id: inside.id, usage, finishReason: 'stop' })
      expect(await sum()).toEqual({ ...usage, llmCalls: 1 })
      await store.settleCall({ id: inside.id, usage: { ...usage, inputTokens: 999 }, finishReason: null })
      await makeCall(id, { attempt: 2 })
      expect(await sum()).toEqual({ ...usage, inputTokens: 110, llmCalls: 2, estimated: true })
      expect((await bench.load(id)).steps[1]?.usage).toEqual(noUsage)
      const free = await makeCall(id, { stepIndex: 1 })
      await store.settleCall({ id: free.id, usage: { ...usage, costUsd: null }, finishReason: 'stop' })
      expect((await bench.load(id)).steps[1]?.usage).toEqual({ ...usage, llmCalls: 1, costUsd: null })
    })

    it('is settled together with a change, once, and also when the change is refused', async () => {
      const before = await bench.created()
      const { id } = before
      const { store } = bench.storage()
      const [one, two, open] = [call(id), call(id), call(id)]
      const begun = change(before, {}, { calls: [one, two, open] })
      expect(await store.commit(begun)).toBe(true)
      const settle = ({ id: callId }: typeof one, inputTokens: number) => {
        return { id: callId, usage: { ...usage, inputTokens }, finishReason: 'stop' }
      }
      const sum = async () => (await bench.load(id)).steps[0]?.usage
      expect(await store.commit(change(before, {}, { settled: [settle(one, 1), settle(two, 2)] }))).toBe(false)
      expect((await bench.load(id)).seq).toBe(begun.state.seq)
      expect(await sum()).toMatchObject({ inputTokens: 103, outputTokens: 40, llmCalls: 3, estimated: true })
      const again = change(begun.state, {}, { settled: [settle(one, 500), settle(two, 500), settle(open, 4)] })
      expect(await store.commit(again)).toBe(true)
      expect(await sum()).toMatchObject({ inputTokens: 7, outputTokens: 60, llmCalls: 3, estimated: false })
    })

    it('takes back a call that was not made, unless it is settled', async () => {
      const { id } = await bench.created()
      const { store } = bench.storage()
      const [made, never] = [await makeCall(id, {}), await makeCall(id, {})]
      await store.settleCall({ id: made.id, usage, finishReason: 'stop' })
      for (const one of [made, never]) await store.dropCall(one.id)
      expect((await bench.load(id)).steps[0]?.usage).toEqual({ ...usage, llmCalls: 1 })
    })

    it('settles a call of a workflow that is gone without complaint', async () => {
      await bench.storage().store.settleCall({ id: randomUUID(), usage, finishReason: null })
    })

    it('sums today by role', async () => {
      const role = `role_${randomUUID()}`
      const first = step(0)
      const mine = step(0, { definition: { ...first.definition, role } })
      const before = await bench.created({ steps: [mine] })
      await makeCall(before.id, {})
      const done = { ...mine, status: 'completed' as const, endedAt: bench.storage().clock.now() }
      const end = change(await bench.load(before.id), { steps: [done] }, { changedSteps: [0] })
      expect(await bench.storage().store.commit(end)).toBe(true)
      expect((await bench.storage().store.usageToday()).get(role)).toEqual({
        usage: { ...noUsage, inputTokens: 100, llmCalls: 1, estimated: true },
        completedSteps: 1,
      })
    })
  })
}
