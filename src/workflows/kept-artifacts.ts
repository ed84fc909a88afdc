import { createHash } from 'node:crypto'
import type { Agents, Artifact, RejectedArtifact } from '../agents/agent.ts'
import type { CreatedArtifact } from './step-results.ts'
import type { NewArtifact, WorkflowStore } from './store.ts'

/** The files in a text, as they are stored and as the log tells of them. */
export interface KeptArtifacts {
  readonly artifacts: readonly NewArtifact[]
  readonly created: readonly CreatedArtifact[]
  readonly rejected: readonly RejectedArtifact[]
}

export interface KeptText {
  readonly workflowId: string
  readonly stepIndex: number
  readonly attempt: number
  readonly text: string
  /** false: of a file that was cut off nothing is kept. */
  readonly complete: boolean
  /** From a person's edit. */
  readonly edited: boolean
}

/** Takes the files out of a text; each becomes the next version of its path. */
export async function artifactsOf(
  { agents, store }: { readonly agents: Agents; readonly store: WorkflowStore },
  { workflowId, stepIndex, attempt, text, complete, edited }: KeptText,
): Promise<KeptArtifacts> {
  const { artifacts: found, rejected } = agents.extract(text, { complete })
  const versions = await versionsOf(store, workflowId, found)
  const artifacts = found.map((file): NewArtifact => {
    const sha256 = createHash('sha256').update(file.content).digest('hex')
    const version = (versions.get(file.path) ?? 0) + 1
    return Object.assign({ stepIndex, attempt, sha256, version, edited }, file)
  })
  const created = artifacts.map(({ path, content, sha256, version }) => {
    return { path, bytes: Buffer.byteLength(content), sha256, version }
  })
  return { artifacts, created, rejected }
}

async function versionsOf(store: WorkflowStore, id: string, files: readonly Artifact[]) {
  if (files.length === 0) return new Map<string, number>()
  return store.artifactVersions(
    id,
    files.map((file) => file.path),
  )
}
