import { describe, expect, test } from 'vitest'
import { isKnownVariable } from './known-variables.ts'
import { documentedMetrics, metricOfSeries } from './metrics-table.ts'
import { anchorsOf, readProjectFile } from './project-files.ts'
import { seriesIn } from './promql-names.ts'

const runbook = readProjectFile('docs/runbook.md')
const documented = documentedMetrics()
// of Prometheus itself
const ofPrometheus = new Set(['up', 'ALERTS'])
// of shells, of Kubernetes, of Ollama
const ofOthers = new Set(['KEY', 'OLLAMA_CONTEXT_LENGTH'])

describe('docs/runbook.md', () => {
  test.each([...runbook.matchAll(/^prom '([^']+)'/gm)].map(([, query = '']) => [query]))('%s', (query) => {
    const metrics = seriesIn(query).map((name) => metricOfSeries(name, documented))
    expect(metrics.filter((name) => !documented.has(name) && !ofPrometheus.has(name))).toEqual([])
  })

  test('names settings that there are', () => {
    const names = [...runbook.matchAll(/`([A-Z]+_[A-Z_]+)(?:=[^`]*)?`/g)].map(([, name = '']) => name)
    expect(names.length).toBeGreaterThan(20)
    expect(names.filter((name) => !isKnownVariable(name) && !ofOthers.has(name))).toEqual([])
  })

  test("has the guide's troubleshooting entries, and no link that leads nowhere", () => {
    const anchors = anchorsOf('docs/runbook.md')
    const entries = ['circuit-breaker-frequently-opening', 'context-size-errors', 'high-latency', 'memory-issues']
    expect(anchors).toEqual(expect.arrayContaining(entries))
    const linked = [...runbook.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor]) => anchor)
    expect(linked.filter((anchor) => !anchors.includes(anchor ?? ''))).toEqual([])
  })
})
