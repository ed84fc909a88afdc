import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../support/database.ts'
import { documentedMetrics, metricOfSeries } from './metrics-table.ts'
import { anchorsOf, projectPath, readProjectFile, readYaml } from './project-files.ts'
import { labelsIn, seriesIn } from './promql-names.ts'
import { hasPromtool, noPromtool, promtool } from './promtool.ts'

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string }
}

interface Panel {
  readonly title: string
  readonly type: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string }[]
}

const { groups } = readYaml('deploy/prometheus/alerts.yml') as {
  readonly groups: readonly { readonly rules: readonly Rule[] }[]
}
const rules = groups.flatMap((group) => group.rules)
const dashboard = JSON.parse(readProjectFile('deploy/grafana/dashboards/llm-multi-agent.json')) as {
  readonly panels: readonly Panel[]
}
const expressions = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr]))

const documented = documentedMetrics()
// of Prometheus itself
const ofPrometheus = new Set(['up'])
const everywhere = new Set(['job', 'instance', 'le'])

/** What an expression names that docs/metrics.md does not. */
function strangersIn(expression: string): readonly string[] {
  const series = seriesIn(expression).filter((name) => !ofPrometheus.has(name))
  const metrics = series.map((name) => metricOfSeries(name, documented))
  const labels = new Set(metrics.flatMap((name) => documented.get(name)?.labels ?? []))
  return [
    ...metrics.filter((name) => !documented.has(name)),
    ...labelsIn(expression).filter((label) => !everywhere.has(label) && !labels.has(label)),
  ]
}

test('expressions are read as Prometheus reads them', () => {
  const expression = `histogram_quantile(0.95, sum by (job, le) (rate(a_bucket{x="b_total{", y!~"c"}[5m]))) > 1e3
    and on (job) max_over_time(d[$__rate_interval]) == 2 or absent(e{z="1"}) unless vector(0)`
  expect(seriesIn(expression)).toEqual(['a_bucket', 'd', 'e'])
  expect(labelsIn(expression).toSorted()).toEqual(['job', 'le', 'x', 'y', 'z'])
  expect(strangersIn('sum by (role) (rate(llm_retries_total[5m])) + workflow_queue_depths')).toEqual([
    'workflow_queue_depths',
    'role',
  ])
})

describe('alerts', () => {
  test.each(rules.map((rule) => [rule.alert, rule] as const))('%s: known metrics, runbook, severity', (_name, rule) => {
    expect(strangersIn(rule.expr)).toEqual([])
    expect(['critical', 'warning']).toContain(rule.labels.severity)
    expect(rule.for).toMatch(/^\d+m$/)
    expect(rule.annotations.summary).not.toBe('')
    expect(rule.annotations.description).not.toBe('')
    const [page, anchor] = rule.annotations.runbook_url.split('#')
    expect(page).toBe('docs/runbook.md')
    expect(anchorsOf('docs/runbook.md')).toContain(anchor)
    expect(readProjectFile('docs/runbook.md')).toContain(`\`${rule.alert}\``)
  })

  test('promtool takes the rules and the configuration, and each alert fires when it should, and only then', ({
    skip,
  }) => {
    if (!hasPromtool()) skip(noPromtool)
    const directory = projectPath('deploy/prometheus')
    expect(promtool(['check', 'config', 'prometheus.yml'], { directory })).toMatchObject({ ok: true })
    expect(promtool(['test', 'rules', 'alerts.test.yml'], { directory })).toMatchObject({ ok: true })
    const tests = readProjectFile('deploy/prometheus/alerts.test.yml')
    expect(rules.filter(({ alert }) => !tests.includes(`alertname: ${alert}\n`)).map(({ alert }) => alert)).toEqual([])
  })
})

describe('the dashboard', () => {
  test.each(expressions)('%s: known metrics and labels', (_title = '', expression = '') => {
    expect(strangersIn(expression)).toEqual([])
  })

  test('shows every metric of the service itself, and every expression is good PromQL', async ({
    skip,
    onTestFinished,
  }) => {
    const shown = new Set(
      expressions.flatMap(([, expr = '']) => seriesIn(expr).map((name) => metricOfSeries(name, documented))),
    )
    const own = [...documented.keys()].filter((name) => !/^(process|nodejs)_/.test(name))
    expect(own.filter((name) => !shown.has(name))).toEqual([])

    if (!hasPromtool()) skip(noPromtool)
    const records = expressions.map(([, expr = ''], at) => ({
      record: `panel:${at}`,
      expr: expr.replaceAll('$__rate_interval', '1m'),
    }))
    const { path, remove } = await temporaryDirectory()
    onTestFinished(remove)
    const file = join(path, 'panels.yml')
    await writeFile(file, JSON.stringify({ groups: [{ name: 'panels', rules: records }] }))
    expect(promtool(['check', 'rules', file])).toMatchObject({ ok: true })
  })

  test('has panels that do not overlap', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true)
  })

  test('is provisioned from where compose puts it, with the data source that compose runs', () => {
    const { providers } = readYaml('deploy/grafana/provisioning/dashboards/llm-multi-agent.yml') as {
      readonly providers: readonly { readonly options: { readonly path: string } }[]
    }
    const compose = readProjectFile('docker-compose.yml')
    expect(compose).toContain(`./deploy/grafana/dashboards:${providers[0]?.options.path}:ro`)
    const { datasources } = readYaml('deploy/grafana/provisioning/datasources/prometheus.yml') as {
      readonly datasources: readonly { readonly url: string }[]
    }
    expect(datasources.map(({ url }) => url)).toEqual(['http://prometheus:9090'])
  })
})
