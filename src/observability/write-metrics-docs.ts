import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { renderMarkdownTable } from '../markdown-table.ts'
import type { MetricDescription } from './metric-descriptions.ts'
import { createMetrics } from './metrics.ts'

const head = `# Metrics

<!-- Written by npm run metrics: change the help of a metric where it is made. -->

\`GET /metrics\` is text for Prometheus, \`GET /metrics.json\` the few figures that the guide names, as JSON with average and
percentiles. Neither needs a key; \`ENABLE_METRICS=false\` turns both off. A scrape asks nobody anything: it reads what is in
memory (\`npm run bench:scrape\`).

Figures are those of one replica since it started, so add them up: \`sum(rate(workflows_total[5m])) by (status)\`. Those
of what all replicas share are the same on each, so take one: \`max(workflow_queue_depth)\`, \`max(database_size_bytes)\`.

Names that begin with \`gen_ai_\`, their labels and buckets are OpenTelemetry's; \`nodejs_\` and \`process_\` those of the
Prometheus client for Node (of processes on Linux). Every label is bounded: \`role\`, \`type\`, \`endpoint\` and \`model\`
are what the configuration names or a model server lists, anything else is \`other\`; \`route\` is a template; \`outcome\`,
\`error_type\` and \`reason\` are \`success\`, \`aborted\` or one of the error codes of the API. No label holds an id, a
path or a text of a client. Buckets of histograms have the label \`le\` besides.
`

const groups: readonly (readonly [title: string, names: RegExp])[] = [
  ['Workflows and agents', /^(workflow|agent|gen_ai_(workflow|invoke_agent)_)/],
  ['Model calls', /^(llm|gen_ai_client)_/],
  ['HTTP and event streams', /^(http|sse)_/],
  ['API keys', /^api_key_/],
  ['Webhooks', /^webhook_/],
  ['Database', /^database_/],
  ['The process', /^(service|build|process|nodejs)_/],
]
const rest = 'Others'

/** The text of `docs/metrics.md`: every metric that the service has. */
export function renderMetricsDocs(): string {
  const metrics = Object.groupBy(describeAll(), titleOf)
  const tables = [...groups.map(([title]) => title), rest].flatMap((title) => {
    const rows = metrics[title]?.map(cellsOf) ?? []
    if (rows.length === 0) return []
    return [`## ${title}\n\n${renderMarkdownTable(['Name', 'Type', 'Labels', 'Unit', 'Meaning'], rows)}\n`]
  })
  return [head, ...tables].join('\n')
}

function none(): never {
  throw new Error('there is no such part')
}

/** Of a service that has nothing to tell: the metrics are there all the same. */
function describeAll(): readonly MetricDescription[] {
  const metrics = createMetrics({
    version: '',
    roles: [],
    workflowTypes: [],
    models: [],
    costOf: () => null,
    sources: {
      llm: none,
      queue: none,
      busyAgents: none,
      heldWorkflows: none,
      ready: none,
      database: none,
      now: none,
    },
  })
  return metrics.describe()
}

function titleOf({ name }: MetricDescription): string {
  return groups.find(([, names]) => names.test(name))?.[0] ?? rest
}

function cellsOf({ name, type, labels, unit, meaning }: MetricDescription): readonly string[] {
  return [`\`${name}\``, type, labels.map((label) => `\`${label}\``).join(', '), unit, meaning]
}

/** Writes `docs/metrics.md`; with `--check` only says whether it is stale, by the exit code. */
async function main(): Promise<void> {
  const file = join(import.meta.dirname, '..', '..', 'docs', 'metrics.md')
  const text = renderMetricsDocs()
  if (!process.argv.includes('--check')) return writeFile(file, text)
  if ((await readFile(file, 'utf8').catch(() => '')) === text) return
  process.stderr.write('docs/metrics.md is stale: run npm run metrics\n')
  process.exitCode = 1
}

if (import.meta.main) await main()
