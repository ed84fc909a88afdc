import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { documentedMetrics } from './metrics-table.ts'
import { isKnownVariable } from './known-variables.ts'
import { parseYamlDocuments, projectPath, readProjectFile, readYaml } from './project-files.ts'
import { seriesIn } from './promql-names.ts'

interface Container {
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } }
  readonly [field: string]: unknown
}

interface Pod {
  readonly terminationGracePeriodSeconds: number
  readonly containers: readonly [Container]
  readonly [field: string]: unknown
}

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data?: Readonly<Record<string, string>>
  readonly spec: {
    readonly template: { readonly metadata: object; readonly spec: Pod }
    readonly [field: string]: unknown
  }
}

const label = { 'app.kubernetes.io/name': 'llm-multi-agent' }
const closingSeconds = 10

function expectGoodPod(pod: Pod, settings: Readonly<Record<string, string>>): void {
  const [container] = pod.containers
  const probe = (path: string) => ({ httpGet: { path, port: 'http' } })
  expect(container).toMatchObject({
    startupProbe: probe('/livez'),
    livenessProbe: probe('/livez'),
    readinessProbe: probe('/readyz'),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    resources: { requests: { cpu: expect.any(String) as string }, limits: { memory: expect.any(String) as string } },
  })
  expect(pod).toMatchObject({
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
  })
  const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]))
  expect(env).toMatchObject({ LOG_FILE: '', METRICS_SNAPSHOT_FILE: '', HOST: '0.0.0.0' })
  expect(container.ports).toEqual([{ name: 'http', containerPort: Number(env['PORT']) }])
  expect([...Object.keys(env), ...Object.keys(settings)].filter((name) => !isKnownVariable(name))).toEqual([])
  const { seconds } = container.lifecycle.preStop.sleep
  const graceSeconds = Number(settings['SHUTDOWN_GRACE_SECONDS'])
  expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(seconds + graceSeconds + closingSeconds)
  expect(settings['AUTH']).toBe('keys')
}

interface Kustomization {
  readonly configMapGenerator: readonly [{ readonly literals: readonly string[] }]
  readonly images: readonly [{ readonly newTag: string }]
}

const base = readYaml('deploy/kubernetes/base/kustomization.yaml') as Kustomization

test('the base has what a pod needs: probes, grace, few rights, settings that there are', () => {
  const literals = base.configMapGenerator[0].literals.map((pair) => pair.split('=') as [string, string])
  const deployment = readYaml('deploy/kubernetes/base/deployment.yaml') as Manifest
  expectGoodPod(deployment.spec.template.spec, Object.fromEntries(literals))
})

test('the image is that of this version', () => {
  const { version } = JSON.parse(readProjectFile('package.json')) as { readonly version: string }
  expect(base.images[0].newTag).toBe(version)
})

test('budget and network policy are for our pods only', () => {
  const [budget, policy] = ['pod-disruption-budget', 'network-policy'].map(
    (name) => readYaml(`deploy/kubernetes/base/${name}.yaml`) as Manifest,
  )
  expect(budget?.spec).toMatchObject({ maxUnavailable: 1, selector: { matchLabels: label } })
  expect(policy?.spec).toMatchObject({ podSelector: { matchLabels: label }, policyTypes: ['Ingress', 'Egress'] })
})

test('the operator gets the rules of deploy/prometheus, and scrapes /metrics', () => {
  const folder = 'deploy/kubernetes/components/prometheus-operator'
  expect((readYaml(`${folder}/prometheus-rule.yaml`) as Manifest).spec).toEqual(
    readYaml('deploy/prometheus/alerts.yml'),
  )
  expect((readYaml(`${folder}/service-monitor.yaml`) as Manifest).spec).toMatchObject({
    selector: { matchLabels: label },
    endpoints: [{ port: 'http', path: '/metrics' }],
  })
})

test('replicas follow metrics that there are, by the names that the adapter gives them', () => {
  const scaler = readYaml('deploy/kubernetes/overlays/postgres/horizontal-pod-autoscaler.yaml') as {
    readonly spec: {
      readonly scaleTargetRef: object
      readonly metrics: readonly { readonly external: { readonly metric: { readonly name: string } } }[]
    }
  }
  const { externalRules } = readYaml('deploy/prometheus/adapter-rules.yml') as {
    readonly externalRules: readonly { readonly seriesQuery: string; readonly name: { readonly as: string } }[]
  }
  expect(scaler.spec.scaleTargetRef).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'llm-multi-agent' })
  const wanted = scaler.spec.metrics.map(({ external }) => external.metric.name)
  expect(externalRules.map(({ name }) => name.as)).toEqual(wanted)
  const documented = documentedMetrics()
  for (const { seriesQuery } of externalRules) {
    expect(documented.get(seriesIn(seriesQuery)[0] ?? '')?.type).toBe('gauge')
  }
})

describe('what kubectl kustomize makes of the overlays', () => {
  const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0

  test.for([
    ['embedded', 'StatefulSet'],
    ['postgres', 'Deployment'],
  ] as const)('%s: a %s with all that belongs to it', ([overlay, kind], { skip }) => {
    if (!hasKubectl) skip('kubectl is not on PATH')
    const built = spawnSync('kubectl', ['kustomize', projectPath(`deploy/kubernetes/overlays/${overlay}`)], {
      encoding: 'utf8',
    })
    expect(built.stderr).toBe('')
    const manifests = parseYamlDocuments(built.stdout) as readonly Manifest[]
    const one = (wanted: string) => manifests.find((manifest) => manifest.kind === wanted)
    const workload = one(kind)
    const settings = one('ConfigMap')
    if (workload === undefined) throw new Error(`no ${kind}`)
    expectGoodPod(workload.spec.template.spec, settings?.data ?? {})
    expect(workload.spec).toMatchObject({
      selector: { matchLabels: label },
      template: { metadata: { labels: label } },
    })
    expect(JSON.stringify(workload)).toContain(`"name":"${settings?.metadata.name}"`)
    expect(one('Service')?.spec).toMatchObject({ selector: label, ports: [{ name: 'http', targetPort: 'http' }] })
    const kinds = ['NetworkPolicy', 'PodDisruptionBudget', 'ServiceAccount', 'ServiceMonitor', 'PrometheusRule']
    expect(manifests.map((manifest) => manifest.kind)).toEqual(expect.arrayContaining(kinds))
    return overlay === 'embedded' ? expectVolume(workload) : expectReplicas(workload)
  })
})

function expectVolume({ spec }: Manifest): void {
  const [container] = spec.template.spec.containers
  expect(spec).toMatchObject({ replicas: 1, volumeClaimTemplates: [{ metadata: { name: 'data' } }] })
  expect(container['volumeMounts']).toContainEqual({ name: 'data', mountPath: '/data' })
  expect(container.env).toContainEqual({ name: 'DATA_DIRECTORY', value: '/data' })
}

function expectReplicas({ spec }: Manifest): void {
  expect(spec).toMatchObject({ strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } })
  expect(spec).not.toHaveProperty('replicas')
}
