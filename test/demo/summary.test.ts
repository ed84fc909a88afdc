import { describe, expect, it } from 'vitest'

import { parseDemoOptions } from '../../demo/options.ts'
import { createPalette } from '../../demo/palette.ts'
import { scenarioFor } from '../../demo/scenarios.ts'
import { formatSummary } from '../../demo/summary.ts'

const usage = { input_tokens: 12_345, output_tokens: 678, llm_calls: 6, cost_usd: null, estimated: false }

function summarize(changes: { status?: string; requirement?: string } = {}) {
  return formatSummary({
    workflow: { status: changes.status ?? 'completed', usage, duration_ms: 41_230, error: null },
    artifacts: [
      { path: 'README.md', role: 'technical_writer', bytes: 1_500 },
      { path: 'app/main.py', role: 'developer', bytes: 640 },
      { path: 'app/api/routes.py', role: 'developer', bytes: 2_048 },
    ],
    scenario: scenarioFor({ type: 'analysis', requirement: changes.requirement ?? null }),
    llmUrl: 'http://127.0.0.1:8080/v1',
    elapsedMs: 65_000,
    palette: createPalette(false),
  })
}

describe('the summary', () => {
  it('draws the files as a tree with size and author', () => {
    expect(summarize()).toContain(
      [
        'Files  3 files, 4 188 bytes',
        '  ├─ app/',
        '  │  ├─ api/',
        '  │  │  └─ routes.py  2 048  developer',
        '  │  └─ main.py         640  developer',
        '  └─ README.md        1 500  technical_writer',
      ].join('\n'),
    )
  })

  it('tells usage and time', () => {
    expect(summarize()).toContain('Usage  12 345 tokens in · 678 tokens out · 6 model calls')
    expect(summarize()).toContain('41.2 s for the workflow, 1 min 05 s in all')
  })

  it('quotes the call for a shell', () => {
    expect(summarize({ requirement: "It's slow" })).toContain(String.raw`"requirement":"It'\''s slow"`)
  })

  it('says when it was not completed', () => {
    expect(summarize({ status: 'cancelled' })).toContain('✗ The workflow is cancelled')
  })
})

describe('the command line', () => {
  it('has defaults that need nothing', () => {
    expect(parseDemoOptions([])).toEqual({
      type: 'feature_development',
      pace: 1,
      llm: null,
      requirement: null,
      keep: false,
      help: false,
    })
  })

  it('takes a real model server', () => {
    const { llm } = parseDemoOptions(['--llm', 'http://127.0.0.1:8080/v1', '--model', 'qwen3'])
    expect(llm).toEqual({ url: 'http://127.0.0.1:8080/v1', model: 'qwen3' })
  })

  it.each([
    [['--type', 'poem'], '--type must be one of'],
    [['--pace', 'fast'], '--pace must be a number'],
    [['--pace=-1'], '--pace must be a number'],
    [['--llm', 'localhost'], '--llm must be an http'],
    [['--model', 'x'], '--model needs --llm'],
    [['--requirement', ' '], '--requirement must not be empty'],
  ])('refuses %j', (args, message) => {
    expect(() => parseDemoOptions(args)).toThrow(message)
  })
})
