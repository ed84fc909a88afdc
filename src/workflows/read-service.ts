import type { Agents } from '../agents/agent.ts'
import { AppError } from '../errors.ts'
import { viewAgent, viewTemplate } from './catalogue-view.ts'
import { findRecord, findState, notFound, viewEither } from './find-workflow.ts'
import type { Engine } from './engine.ts'
import type { EventReaderParts } from './event-reader.ts'
import type { EventOpener } from './open-events.ts'
import type { Principal } from './principal.ts'
import { etagOf, viewArtifact, viewGraph, viewStepDetail, viewSummary, viewTaskSummary } from './resource-view.ts'
import type { ListQuery, Page, WorkflowService } from './service.ts'
import type { ListFilter, WorkflowRecord } from './store.ts'
import type { Template } from './templates.ts'

export interface ReadParts extends EventReaderParts {
  readonly principal: Principal
  readonly openReader: EventOpener
  readonly agents: Agents
  readonly templates: ReadonlyMap<string, Template>
  readonly engine: Engine
}

type Verb = 'start' | 'startTask' | 'cancel' | 'remove' | 'resume' | 'rerun' | 'approve' | 'reject' | 'approvals'
type Reads = Omit<WorkflowService, Verb | 'deliveries' | 'redeliver'>

/** What can be asked of workflows, tasks, agents and templates; changes nothing. */
export function createReads(parts: ReadParts): Reads {
  const { store, clock } = parts
  return {
    ...createCatalogue(parts),
    async get(ref) {
      const record = await findRecord(parts, ref)
      return { resource: viewEither(record, clock.now()), etag: etagOf(record.state) }
    },
    list: (query) => list(parts, { ...query, kind: 'workflow', role: null }, viewSummary),
    async listTasks(role, query) {
      if (parts.agents.profile(role) === undefined) throw notFound(`There is no agent "${role}".`)
      return list(parts, { ...query, kind: 'task', role }, viewTaskSummary)
    },
    async step(id, stepId) {
      const { state, outputs } = await findRecord(parts, { kind: 'workflow', id })
      const step = state.steps.find((candidate) => candidate.definition.id === stepId)
      if (step === undefined) throw notFound(`This workflow has no step "${stepId}".`)
      const attempts = await store.attempts(id, step.index)
      if (attempts.length < step.attempt) await findState(parts, { kind: 'workflow', id })
      return viewStepDetail(step, { output: outputs.get(step.index) ?? null, attempts }, clock.now())
    },
    async artifacts(ref) {
      const state = await findState(parts, ref)
      const artifacts = await store.artifacts(ref.id)
      // none of what there was: it may have been deleted in between, and that is no empty list
      if (artifacts.length === 0 && state.steps.some((step) => step.artifacts.length > 0)) await findState(parts, ref)
      return artifacts.map((artifact) => viewArtifact(artifact, state))
    },
    async artifact(ref, path, version) {
      const state = await findState(parts, ref)
      const found = await store.artifact(ref.id, path, version)
      if (found === null) throw notFound('There is no such file.')
      return { ...viewArtifact(found, state), content: found.content }
    },
    graph: async (id) => viewGraph(await findState(parts, { kind: 'workflow', id })),
    openEvents: (ref, cursor) => parts.openReader({ ref, cursor, principal: parts.principal }),
  }
}

function createCatalogue({ agents, templates, engine, store }: ReadParts) {
  return {
    workflowTypes: () => [...templates.values()].map(viewTemplate),
    workflowType(type: string) {
      const template = templates.get(type)
      if (template === undefined) throw notFound(`There is no workflow type "${type}".`)
      return viewTemplate(template)
    },
    async agents() {
      const today = await store.usageToday()
      return agents.profiles.map((profile) => viewAgent(profile, { today, busy: engine.busy() }))
    },
    async agent(role: string) {
      const profile = agents.profile(role)
      if (profile === undefined) throw notFound(`There is no agent "${role}".`)
      return viewAgent(profile, { today: await store.usageToday(), busy: engine.busy() })
    },
  }
}

/** Whose workflows a principal's lists hold; null: everybody's. */
export function ownerFor({ name, seesAll }: Principal): string | null {
  return seesAll ? null : name
}

const idForm = /^(wf|task)_[0-9a-f]{32}$/

async function list<T>(
  { store, clock, principal }: ReadParts,
  query: ListQuery & Pick<ListFilter, 'kind' | 'role'>,
  view: (record: WorkflowRecord, now: number) => T,
): Promise<Page<T>> {
  if (query.after !== null && !idForm.test(query.after)) {
    throw new AppError('invalid-cursor', 'This is not a cursor of this list.')
  }
  // One more than asked for tells whether there is a next page.
  const records = await store.list({ ...query, owner: ownerFor(principal), limit: query.limit + 1 })
  const page = records.slice(0, query.limit)
  const next = records.length > query.limit ? (page.at(-1)?.state.id ?? null) : null
  return { data: page.map((record) => view(record, clock.now())), next }
}
