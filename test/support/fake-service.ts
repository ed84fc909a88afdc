import { createHash } from 'node:crypto'
import { AppError } from '../../src/errors.ts'
import type { DeliveryResource, TaskResource, WorkflowResource } from '../../src/workflows/resources.ts'
import type {
  ArtifactFile,
  Caller,
  ListQuery,
  Outcome,
  WorkflowRef,
  WorkflowService,
} from '../../src/workflows/service.ts'
import type { StartTask, StartWorkflow } from '../../src/workflows/requests.ts'
import { createFakeKeys } from './fake-keys.ts'
import { fakeAgent, fakeTask, fakeType, fakeWorkflow } from './fake-resources.ts'
import type { FakeRun } from './fake-run.ts'
import { newFakeRun, readerOf } from './fake-run.ts'
import type { AskedVerb } from './fake-verbs.ts'
import { createFakeVerbs } from './fake-verbs.ts'

/** The verbs over a map, and what a test does in the engine's place. */
export interface FakeService extends WorkflowService {
  /** Bodies and callers of what was started. */
  readonly started: { readonly body: StartWorkflow | StartTask; readonly caller: Caller }[]
  /** Calls of the other verbs. */
  readonly asked: AskedVerb[]
  readonly lists: ListQuery[]
  /** Readers that were opened and not closed. */
  openReaders(): number
  /** Every call throws this until it is null again. */
  failure: AppError | Error | null
  emit(id: string, type: string, data?: Readonly<Record<string, unknown>>): void
  /** The last event, unless somebody makes it go on. */
  end(id: string, status?: 'completed' | 'failed' | 'cancelled'): void
  /** The step `work` waits for a person, and so does the workflow. */
  openGate(id: string): void
  addFile(id: string, file: Pick<ArtifactFile, 'path' | 'content' | 'media_type'>): void
  addDelivery(id: string, delivery: DeliveryResource): void
  /** Deletes it under its readers. */
  drop(id: string): void
}

const types = [fakeType('feature_development'), fakeType('bug_fix', ['bug_description']), fakeType('analysis')]
const roles = ['developer', 'qa_engineer']

function notFound(what: string): AppError {
  return new AppError('not-found', `There is no such ${what}.`)
}

/** A small service in memory, for tests of the edge. */
export function createFakeService(): FakeService {
  const runs = new Map<string, FakeRun>()
  const readers = new Set<object>()
  let count = 0

  const find = (ref: WorkflowRef): FakeRun => {
    check()
    const run = runs.get(ref.id)
    const known = run?.ref.kind === ref.kind && (ref.kind === 'workflow' || (run.ref as typeof ref).role === ref.role)
    if (!run || !known) throw notFound(ref.kind)
    return run
  }
  const check = () => {
    if (service.failure) throw service.failure
  }
  const wake = (run: FakeRun) => {
    for (const resolve of run.waiting) resolve()
    run.waiting.clear()
  }
  const add = <T extends FakeRun['resource']>(ref: WorkflowRef, resource: T): Outcome<T> => {
    runs.set(ref.id, newFakeRun(ref, resource))
    service.emit(ref.id, 'workflow.queued', { seq: 1, status: 'queued' })
    return { resource, changed: true, replayed: false, cursor: null }
  }
  const get = (id: string): FakeRun => {
    const run = runs.get(id)
    if (!run) throw notFound('run')
    return run
  }

  const asked: AskedVerb[] = []
  const keys = createFakeKeys((id) => runs.get(id)?.resource ?? null)
  const verbs = createFakeVerbs({
    find,
    all: () => runs.values(),
    keys,
    emit: (id, type, data) => service.emit(id, type, data),
    end: (id, status) => service.end(id, status),
    asked,
  })

  const service: FakeService = {
    ...verbs,
    started: [],
    asked,
    lists: [],
    failure: null,
    openReaders: () => readers.size,
    emit(id, type, data = {}) {
      const run = get(id)
      const frame = { type, workflow_id: id, at: '2026-01-14T10:30:00.000Z', ...data }
      run.frames.push({ id: `${id}.${run.frames.length + 1}`, type, data: JSON.stringify(frame) })
      wake(run)
    },
    end(id, status = 'completed') {
      const run = get(id)
      run.ended = true
      run.resource = { ...run.resource, status }
      service.emit(id, `workflow.${status}`, { seq: 2, status })
    },
    openGate(id) {
      const run = get(id)
      run.gateOpen = true
      run.resource = { ...run.resource, status: 'waiting' }
      service.emit(id, 'step.waiting', { step: 'work', attempt: 1 })
      service.emit(id, 'workflow.waiting', { status: 'waiting' })
    },
    addFile(id, { path, content, media_type }) {
      const { files } = get(id)
      const version = files.filter((file) => file.path === path).length + 1
      const sha256 = createHash('sha256').update(content).digest('hex')
      const about = { step: 'work', role: 'developer', attempt: 1, created_at: '2026-01-14T10:30:00.000Z' }
      files.push({ path, content, media_type, version, sha256, bytes: content.length, ...about })
    },
    addDelivery: (id, delivery) => void get(id).deliveries.push(delivery),
    drop(id) {
      const run = get(id)
      run.gone = true
      runs.delete(id)
      wake(run)
    },
    start: (body, caller) =>
      keys.once(caller, async () => {
        check()
        if (body.type !== 'custom' && !types.some(({ type }) => type === body.type)) {
          const faults = [{ pointer: '/type', detail: 'is not known' }]
          throw new AppError('invalid-workflow', `There is no type ${body.type}.`, { faults })
        }
        service.started.push({ body, caller })
        const id = `wf_${(count += 1)}`
        const { requirement, type } = body
        const resource = fakeWorkflow(id, { type, requirement, correlation_id: caller.correlationId })
        return add({ kind: 'workflow', id }, resource)
      }),
    startTask: (role, body, caller) =>
      keys.once(caller, async () => {
        check()
        if (!roles.includes(role)) throw notFound('agent')
        service.started.push({ body, caller })
        const id = `task_${(count += 1)}`
        const resource = fakeTask(id, { role, task: body.task, correlation_id: caller.correlationId })
        return add({ kind: 'task', role, id }, resource)
      }),
    async get(ref) {
      const { resource, frames } = find(ref)
      return { resource, etag: `W/"${ref.id}-${frames.length}"` }
    },
    async list(query) {
      check()
      service.lists.push(query)
      const all = [...runs.values()].filter(({ ref }) => ref.kind === 'workflow').map(({ resource }) => resource)
      const data = (all as WorkflowResource[]).slice(0, query.limit)
      return { data, next: all.length > data.length ? 'next-page' : null }
    },
    async listTasks(role, query) {
      check()
      if (!roles.includes(role)) throw notFound('agent')
      service.lists.push(query)
      const all = [...runs.values()].filter(({ ref }) => ref.kind === 'task').map(({ resource }) => resource)
      return { data: all as TaskResource[], next: null }
    },
    async remove(ref) {
      const run = find(ref)
      if (!run.ended) {
        const { status } = run.resource
        throw new AppError('conflict', 'It has not ended: cancel it first.', { state: { status } })
      }
      service.drop(ref.id)
    },
    async artifacts(ref) {
      const newest = new Map(find(ref).files.map(({ content: _content, ...about }) => [about.path, about]))
      return [...newest.values()]
    },
    async artifact(ref, path, version) {
      const file = find(ref).files.findLast(
        (each) => each.path === path && (version === null || each.version === version),
      )
      if (!file) throw notFound('file')
      return file
    },
    async deliveries(ref) {
      return find(ref).deliveries
    },
    async redeliver(ref, id) {
      const resource = find(ref).deliveries.find((delivery) => delivery.id === id)
      if (!resource) throw notFound('delivery')
      return { resource, changed: true, replayed: false, cursor: null }
    },
    async graph(id) {
      find({ kind: 'workflow', id })
      return {
        id,
        type: 'custom',
        status: 'running',
        nodes: [
          { id: 'begin', role: 'developer', status: 'completed', attempt: 1 },
          { id: 'end', role: 'a "b" <c>', status: 'running', attempt: 1 },
        ],
        edges: [{ from: 'begin', to: 'end' }],
      }
    },
    async openEvents(ref, cursor) {
      const run = find(ref)
      const [owner, position = ''] = cursor === null ? [ref.id, '0'] : cursor.split('.')
      if (owner !== ref.id || !/^\d+$/.test(position) || Number(position) > run.frames.length) {
        throw new AppError('invalid-cursor', 'This cursor was not made here.')
      }
      const key = {}
      readers.add(key)
      return readerOf(run, Number(position), { check, close: () => void readers.delete(key) })
    },
    workflowTypes: () => types,
    workflowType(type) {
      const found = types.find((each) => each.type === type)
      if (!found) throw notFound('workflow type')
      return found
    },
    async agents() {
      check()
      return roles.map(fakeAgent)
    },
    async agent(role) {
      check()
      if (!roles.includes(role)) throw notFound('agent')
      return fakeAgent(role)
    },
  }
  return service
}
