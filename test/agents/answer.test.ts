import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AgentTask } from '../../src/agents/agent.ts'
import { AppError } from '../../src/errors.ts'
import type { Permit } from '../../src/llm/model.ts'
import { agentTask, teamOf } from './agent-task.ts'
import { recordingSink, type ScriptedCall, scriptedModel } from './scripted-model.ts'

interface Setting {
  readonly task?: Partial<AgentTask>
  readonly maxContinuations?: number
  readonly signal?: AbortSignal
}

async function answer(script: readonly ScriptedCall[], setting: Setting = {}) {
  const model = scriptedModel(script)
  const { record, sink } = recordingSink()
  const team = teamOf(model, { defaults: { maxContinuations: setting.maxContinuations ?? 2 } })
  const prepared = team.prepare(agentTask(setting.task))
  const signal = setting.signal ?? new AbortController().signal
  const result = await prepared.run({ sink, signal }).catch((error: unknown) => ({ error }))
  return { result, record, model, prepared }
}

const cut = (...pieces: string[]): ScriptedCall => ({ pieces, finishReason: 'length' })
const whole = (...pieces: string[]): ScriptedCall => ({ pieces })
const failureOf = (code: string, retryable: boolean) => ({
  error: expect.objectContaining({ code, details: { retryable, endpoint: 'default' } }),
})

function inPiecesOf(text: string, size: number): string[] {
  const characters = Array.from(text)
  const pieces: string[] = []
  for (let from = 0; from < characters.length; from += size) pieces.push(characters.slice(from, from + size).join(''))
  return pieces
}

describe('an answer of one call', () => {
  it('is delivered as it comes, unchanged', async () => {
    const pieces = ['  \n', 'Hé', '😀\r\n', 'data: x\n\n', ' end \n']
    const { result, record } = await answer([whole(...pieces)])
    expect(record.text()).toBe(pieces.join(''))
    expect(result).toEqual({ complete: true, finishReason: 'stop', model: 'm-1' })
    expect(record.order[0]).toBe('start')
    expect(record.order.at(-1)).toBe('end')
  })

  it('tells what the call is estimated to cost and what it cost', async () => {
    const usage = { inputTokens: 9, outputTokens: 3, cachedTokens: 1, reasoningTokens: 0, estimated: false }
    const { record, prepared } = await answer([{ pieces: ['hi', { type: 'usage', usage }] }])
    expect(record.starts).toEqual([prepared.firstCall])
    expect(record.ends).toEqual([{ usage, finishReason: 'stop' }])
  })

  it.each([
    ['empty', [whole()]],
    ['blank', [whole(' \n', '\t')]],
    ['only reasoning', [whole('<think>hm</think>\n')]],
    ['reasoning without an end', [whole('<think>hm')]],
  ])('that is %s is empty_output', async (_name, script) => {
    const { result, record } = await answer(script)
    expect(result).toEqual(failureOf('empty_output', true))
    expect(record.ends).toHaveLength(1)
  })

  it.each([[null], [''], ['tool_calls'], ['abort']])('that ends with %j is no success', async (finishReason) => {
    const { result, record } = await answer([{ pieces: ['half'], finishReason }])
    expect(result).toEqual(failureOf('llm_truncated', true))
    expect(record.ends).toHaveLength(1)
  })

  it('that a filter stopped is content_filtered', async () => {
    const { result } = await answer([{ pieces: ['half'], finishReason: 'content_filter' }])
    expect(result).toEqual(failureOf('content_filtered', false))
  })
})

describe('calls that fail', () => {
  it('end once in the ledger, with an estimate of what was used', async () => {
    const failure = new AppError('llm_truncated', 'cut', { retryable: true })
    const { result, record } = await answer([{ pieces: ['some words here'], failure }])
    expect(result).toEqual({ error: failure })
    expect(record.text()).toBe('some words here')
    expect(record.starts).toHaveLength(1)
    expect(record.ends).toHaveLength(1)
    expect(record.ends[0]).toMatchObject({ finishReason: null, usage: { estimated: true, cachedTokens: 0 } })
    expect(record.ends[0]?.usage.inputTokens).toBe(record.starts[0]?.inputTokens)
    expect(record.ends[0]?.usage.outputTokens).toBeGreaterThanOrEqual(3)
  })

  it('keep what the server had reported', async () => {
    const usage = { inputTokens: 9, outputTokens: 3, cachedTokens: 1, reasoningTokens: 0, estimated: false }
    const { record } = await answer([{ pieces: ['hi', { type: 'usage', usage }], failure: new Error('x') }])
    expect(record.ends).toEqual([{ usage, finishReason: null }])
  })

  it('reject with the reason of an abort, and end in the ledger', async () => {
    const controller = new AbortController()
    const { record, sink } = recordingSink()
    const prepared = teamOf(scriptedModel([{ pieces: ['half'], hangs: true }])).prepare(agentTask())
    const reason = new Error('cancelled')
    const watching = { ...sink, text: () => controller.abort(reason) }
    await expect(prepared.run({ sink: watching, signal: controller.signal })).rejects.toBe(reason)
    expect(record.ends).toHaveLength(1)
  })

  it('are not begun after an abort', async () => {
    const { result, record, model } = await answer([whole('x')], { signal: AbortSignal.abort('gone') })
    expect(result).toEqual({ error: 'gone' })
    expect(record.starts).toHaveLength(0)
    expect(model.requests).toHaveLength(0)
  })

  it('are not made when the sink refuses them', async () => {
    const { record, sink } = recordingSink()
    const model = scriptedModel([whole('x')])
    const refusal = new AppError('budget_exhausted', 'no')
    const run = teamOf(model)
      .prepare(agentTask())
      .run({
        sink: { ...sink, callStarting: () => Promise.reject(refusal) },
        signal: new AbortController().signal,
      })
    await expect(run).rejects.toBe(refusal)
    expect([model.requests.length, record.ends.length]).toEqual([0, 0])
  })

  it('are all made on the permit, which stays its owner’s to release', async () => {
    const permit: Permit = { target: agentTask().target, release: () => expect.unreachable('it is not the agent’s') }
    const model = scriptedModel([cut('a b c'), whole(' d e f')])
    await teamOf(model)
      .prepare(agentTask())
      .run({ sink: recordingSink().sink, permit, signal: new AbortController().signal })
    expect(model.requests.map((request) => request.permit)).toEqual([permit, permit])
  })
})

describe('reasoning', () => {
  it('is kept apart, from the server or inline', async () => {
    const { record } = await answer([
      {
        pieces: [{ type: 'reasoning', text: 'R1 ' }, '<th', 'ink>R', '2</thi', 'nk>\n', '\n  Answer <think>x</think>'],
      },
    ])
    expect(record.reasoning).toBe('R1 R2')
    expect(record.text()).toBe('  Answer <think>x</think>')
  })

  it.each(['<thin ice', '<', ' <think', '<thinkers>', 'x<think>y</think>'])('is not %j', async (text) => {
    const { record } = await answer([whole(...Array.from(text))])
    expect(record.text()).toBe(text)
    expect(record.reasoning).toBe('')
  })

  it('that used up the output limit is asked to be brief', async () => {
    const { record, model } = await answer([cut('<think>long'), whole('Answer')])
    expect(record.text()).toBe('Answer')
    expect(record.continued).toEqual([1])
    expect(model.requests[1]?.messages).toHaveLength(2)
    expect(model.requests[1]?.messages[1]?.content).toContain('Think briefly')
  })

  it('at the start of a continuation is no part of the answer', async () => {
    const { record } = await answer([cut('one two '), whole('<think>where was I</think>\n\nthree')])
    expect(record.text()).toBe('one two three')
  })
})

describe('an answer over the output limit', () => {
  it('goes on where it stopped', async () => {
    const { result, record, model } = await answer([cut('one ', 'two '), cut('three '), whole('four')])
    expect(record.text()).toBe('one two three four')
    expect(result).toMatchObject({ complete: true, finishReason: 'stop' })
    expect(record.order.filter((entry) => entry !== 'text')).toEqual([
      'start',
      'end',
      'continue 1',
      'start',
      'end',
      'continue 2',
      'start',
      'end',
    ])
    expect(model.requests[2]?.messages.map((message) => message.role)).toEqual(['system', 'user', 'assistant', 'user'])
    expect(model.requests[2]?.messages[2]?.content).toBe('one two three ')
  })

  it('is incomplete after the last continuation', async () => {
    const { result, record } = await answer([cut('a '), cut('b '), cut('c ')])
    expect(result).toEqual({ complete: false, finishReason: 'length', model: 'm-1' })
    expect(record.text()).toBe('a b c ')
    expect(record.continued).toEqual([1, 2])
  })

  it('is not continued when that is off', async () => {
    const { result, record } = await answer([cut('a')], { maxContinuations: 0 })
    expect(result).toMatchObject({ complete: false })
    expect(record.continued).toEqual([])
  })

  it('that never had text is empty', async () => {
    const { result } = await answer([cut(), cut(), cut()])
    expect(result).toEqual(failureOf('empty_output', true))
  })

  it('stays within the window with every call', async () => {
    const task = { target: { endpoint: 'default', model: 'm', contextWindow: 2048, tokenRatio: 1 } }
    const long = 'word '.repeat(700)
    const { record } = await answer([cut(long), cut(long), whole('end')], { task })
    expect(record.text()).toBe(`${long}${long}end`)
    for (const { inputTokens, maxTokens } of record.starts) expect(inputTokens + maxTokens).toBeLessThanOrEqual(2048)
  })

  it('begins with the text of a former attempt', async () => {
    const carried = { text: 'one two ', continuations: 1 }
    const { result, record, model, prepared } = await answer([cut('three '), whole('four')], { task: { carried } })
    expect(record.text()).toBe('one two three four')
    expect(record.order[0]).toBe('text')
    expect(record.continued).toEqual([1, 2])
    expect(record.starts[0]).toEqual(prepared.firstCall)
    expect(model.requests[0]?.messages[2]?.content).toBe('one two ')
    expect(result).toMatchObject({ complete: true })
  })

  it('keeps what was delivered when a continuation fails', async () => {
    const failure = new AppError('llm_error', 'no', { retryable: true })
    const { result, record } = await answer([cut('one '), { failure }])
    expect(result).toEqual({ error: failure })
    expect(record.text()).toBe('one ')
    expect(record.ends).toHaveLength(2)
  })
})

describe('whatever the pieces of the text are', () => {
  const texts = fc.tuple(
    fc.constantFrom('', '<think>a < b\n</thi</think>\n\n', '  <think>r</think>', '<thi'),
    fc.array(fc.constantFrom('line one\n', '  return total_sum\n', '```py:a.py\n', '```\n', '😀', ' x', '}\n'), {
      minLength: 1,
      maxLength: 8,
    }),
  )
  it('what is delivered is the same', async () => {
    await fc.assert(
      fc.asyncProperty(texts, texts, fc.integer({ min: 1, max: 9 }), async (first, second, size) => {
        const [a, b] = [first[0] + first[1].join(''), second[0] + second[1].join('')]
        const atOnce = await answer([cut(a), whole(b)])
        const inPieces = await answer([cut(...inPiecesOf(a, size)), whole(...inPiecesOf(b, size))])
        expect(inPieces.record.text()).toBe(atOnce.record.text())
        expect(inPieces.record.reasoning).toBe(atOnce.record.reasoning)
        expect(inPieces.record.pieces.every((piece) => piece.isWellFormed() && piece !== '')).toBe(true)
      }),
    )
  })
})
