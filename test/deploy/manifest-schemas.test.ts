import { globSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { parseYamlDocuments, projectPath, readProjectFile, readYaml } from './project-files.ts'

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly spec?: Readonly<Record<string, unknown>>
}

/** A class of the models: its schema is Kubernetes' own. */
type Model = new (manifest: unknown) => { validate(): void }

const operatorGroup = 'monitoring.coreos.com'

async function modelOf({ apiVersion, kind }: Manifest): Promise<Model> {
  const models = apiVersion.startsWith(operatorGroup) ? '@kubernetes-models/prometheus-operator' : 'kubernetes-models'
  const found = (await import(`${models}/${apiVersion}/${kind}`)) as Readonly<Record<string, Model>>
  const model = found[kind]
  if (model === undefined) throw new Error(`there is no model of ${apiVersion} ${kind}`)
  return model
}

interface Kustomization {
  readonly resources?: readonly string[]
}

/** Whole manifests; what only patches one is not one. */
const files = globSync('**/kustomization.yaml', { cwd: projectPath('deploy/kubernetes') }).flatMap((file) => {
  const { resources = [] } = readYaml(`deploy/kubernetes/${file}`) as Kustomization
  return resources
    .filter((resource) => resource.endsWith('.yaml'))
    .map((resource) => `deploy/kubernetes/${dirname(file)}/${resource}`)
})

/** The selectors of the base are kustomize's to add, to all of its manifests. */
function withSelector(manifest: Manifest): Manifest {
  const matchLabels = { 'app.kubernetes.io/name': 'llm-multi-agent' }
  return manifest.kind === 'Deployment'
    ? { ...manifest, spec: { ...manifest.spec, selector: { matchLabels } } }
    : manifest
}

test.each(files.toSorted())('%s fits the schema of its kind', async (file) => {
  for (const manifest of parseYamlDocuments(readProjectFile(file)) as readonly Manifest[]) {
    const model = await modelOf(manifest)
    expect(() => new model(withSelector(manifest)).validate()).not.toThrow()
  }
})
