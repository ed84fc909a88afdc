import { describe, expect, test as plain } from 'vitest'
import { renderMetricsDocs } from '../../src/observability/write-metrics-docs.ts'
import { createEventJournal } from '../smoke/event-journal.ts'
import { readToEnd } from '../smoke/event-connection.ts'
import { customStep, postWorkflow, taskOf, test } from '../smoke/smoke-test.ts'
import { documentedMetrics, metricOfSeries } from './metrics-table.ts'
import { readProjectFile } from './project-files.ts'
import { hasPromtool, noPromtool, promtool } from './promtool.ts'

plain('docs/metrics.md is what the service has (npm run metrics writes it)', () => {
  expect(readProjectFile('docs/metrics.md')).toBe(renderMetricsDocs())
})

/** Series of the text format, as name and labels. */
function seriesOf(body: string): { readonly name: string; readonly labels: readonly string[] }[] {
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return lines.map((line) => {
    const [, name = line, labels = ''] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? []
    return { name, labels: [...labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, label = '']) => label) }
  })
}

describe('/metrics of a real run', { timeout: 60_000 }, () => {
  test('has the documented metrics and labels, no other, and promtool finds no fault with it', async ({
    site,
    model,
    skip,
  }) => {
    model.answerWith(({ index, user }) => {
      if (index === 0) return { status: 500, body: { error: { message: 'Try again.' } } }
      return user.includes(taskOf('bad')) ? { status: 400, body: { error: { message: 'No.' } } } : 'ok'
    })
    const prices = JSON.stringify({ 'test-model': { input: 1, cached_input: 1, output: 2 } })
    await site.start({ LLM_RETRY_INITIAL_DELAY: '0.01', LLM_PRICES: prices })
    const { id } = await postWorkflow(site.url(), {
      type: 'custom',
      requirement: 'Have something to measure.',
      steps: [customStep('good'), customStep('bad')],
    })
    await readToEnd(() => `${site.url()}/workflows/${id}/events`, createEventJournal())
    await fetch(`${site.url()}/workflows/${id}`)
    const answer = await fetch(`${site.url()}/metrics`)
    const body = await answer.text()

    const documented = documentedMetrics()
    const types = [...body.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => `${name} ${type}`)
    expect(types.toSorted()).toEqual([...documented].map(([name, { type }]) => `${name} ${type}`).toSorted())
    const series = seriesOf(body)
    const strangers = series.filter(({ name, labels }) => {
      const known = documented.get(metricOfSeries(name, documented))
      return labels.some((label) => label !== 'le' && known?.labels.includes(label) !== true)
    })
    expect(strangers).toEqual([])
    expect(new Set(series.map(({ name }) => name))).toContain('llm_cost_usd_total')

    if (!hasPromtool()) skip(noPromtool)
    expect(promtool(['check', 'metrics'], { input: body })).toEqual({ ok: true, output: '' })
  })
})
