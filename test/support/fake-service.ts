import { createHash } from 'node:crypto'
import { AppError } from '../../src/errors.ts'
import type { TaskResource, WorkflowResource } from '../../src/workflows/resources.ts'
import type {
  ArtifactFile,
  Caller,
  EventReader,
  Frame,
  ListQuery,
  WorkflowRef,
  WorkflowService,
} from '../../src/workflows/service.ts'
import type { StartTask, StartWorkflow } from '../../src/workflows/requests.ts'
import { fakeAgent, fakeTask, fakeType, fakeWorkflow } from './fake-resources.ts'

interface Run {
  readonly ref: WorkflowRef
  resource: WorkflowResource | TaskResource
  readonly frames: Frame[]
  readonly files: ArtifactFile[]
  ended: boolean
  gone: boolean
  readonly waiting: Set<() => void>
}

/** The verbs over a map, and what a test does in the engine's place. */
export interface FakeService extends WorkflowService {
  /** Bodies and callers of what was started. */
  readonly started: { readonly body: StartWorkflow | StartTask; readonly caller: Caller }[]
  readonly lists: ListQuery[]
  /** Readers that were opened and not closed. */
  openReaders(): number
  /** Every call throws this until it is null again. */
  failure: AppError | Error | null
  emit(id: string, type: string, data?: Readonly<Record<string, unknown>>): void
  /** The last event; nothing comes after it. */
  end(id: string): void
  addFile(id: string, file: Pick<ArtifactFile, 'path' | 'content' | 'media_type'>): void
  /** Deletes it under its readers. */
  drop(id: string): void
}

const types = [fakeType('feature_development'), fakeType('bug_fix', ['bug_description']), fakeType('analysis')]
const roles = ['developer', 'qa_engineer']

function notFound(what: string): AppError {
  return new AppError('not-found', `There is no such ${what}.`)
}

function nextWake(run: Run, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const wake = () => {
      signal.removeEventListener('abort', abort)
      resolve()
    }
    const abort = () => {
      run.waiting.delete(wake)
      reject(signal.reason as Error)
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    run.waiting.add(wake)
  })
}

function readerOf(run: Run, start: number, parts: { check: () => void; close: () => void }): EventReader {
  let at = start
  let seen = run.frames.length
  return {
    get cursor() {
      return `${run.ref.id}.${at}`
    },
    async read(limit) {
      parts.check()
      if (run.gone) return { frames: [], done: false, gone: true }
      const frames = run.frames.slice(at, at + limit)
      at += frames.length
      seen = run.frames.length
      return { frames, done: run.ended && at === run.frames.length, gone: false }
    },
    async changed(signal) {
      if (!run.gone && run.frames.length === seen) await nextWake(run, signal)
    },
    close: parts.close,
  }
}

/** A small service in memory, for tests of the edge. */
export function createFakeService(): FakeService {
  const runs = new Map<string, Run>()
  const readers = new Set<object>()
  let count = 0

  const find = (ref: WorkflowRef): Run => {
    check()
    const run = runs.get(ref.id)
    const known = run?.ref.kind === ref.kind && (ref.kind === 'workflow' || (run.ref as typeof ref).role === ref.role)
    if (!run || !known) throw notFound(ref.kind)
    return run
  }
  const check = () => {
    if (service.failure) throw service.failure
  }
  const wake = (run: Run) => {
    for (const resolve of run.waiting) resolve()
    run.waiting.clear()
  }
  const add = (ref: WorkflowRef, resource: Run['resource']) => {
    runs.set(ref.id, { ref, resource, frames: [], files: [], ended: false, gone: false, waiting: new Set() })
    service.emit(ref.id, 'workflow.queued', { seq: 1, status: 'queued' })
    return resource
  }
  const get = (id: string): Run => {
    const run = runs.get(id)
    if (!run) throw notFound('run')
    return run
  }

  const service: FakeService = {
    started: [],
    lists: [],
    failure: null,
    openReaders: () => readers.size,
    emit(id, type, data = {}) {
      const run = get(id)
      const frame = { type, workflow_id: id, at: '2026-01-14T10:30:00.000Z', ...data }
      run.frames.push({ id: `${id}.${run.frames.length + 1}`, type, data: JSON.stringify(frame) })
      wake(run)
    },
    end(id) {
      const run = get(id)
      run.ended = true
      run.resource = { ...run.resource, status: 'completed' }
      service.emit(id, 'workflow.completed', { seq: 2, status: 'completed' })
    },
    addFile(id, { path, content, media_type }) {
      const { files } = get(id)
      const version = files.filter((file) => file.path === path).length + 1
      const sha256 = createHash('sha256').update(content).digest('hex')
      const about = { step: 'work', role: 'developer', attempt: 1, created_at: '2026-01-14T10:30:00.000Z' }
      files.push({ path, content, media_type, version, sha256, bytes: content.length, ...about })
    },
    drop(id) {
      const run = get(id)
      run.gone = true
      runs.delete(id)
      wake(run)
    },
    async start(body, caller) {
      check()
      if (body.type !== 'custom' && !types.some(({ type }) => type === body.type)) {
        const faults = [{ pointer: '/type', detail: 'is not known' }]
        throw new AppError('invalid-workflow', `There is no type ${body.type}.`, { faults })
      }
      service.started.push({ body, caller })
      const id = `wf_${(count += 1)}`
      const { requirement, type } = body
      const resource = fakeWorkflow(id, { type, requirement, correlation_id: caller.correlationId })
      return add({ kind: 'workflow', id }, resource) as WorkflowResource
    },
    async startTask(role, body, caller) {
      check()
      if (!roles.includes(role)) throw notFound('agent')
      service.started.push({ body, caller })
      const id = `task_${(count += 1)}`
      const resource = fakeTask(id, { role, task: body.task, correlation_id: caller.correlationId })
      return add({ kind: 'task', role, id }, resource) as TaskResource
    },
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
    async step(id) {
      find({ kind: 'workflow', id })
      throw notFound('step')
    },
    async cancel(ref) {
      const run = find(ref)
      const changed = !run.ended
      if (changed) service.end(ref.id)
      return { resource: run.resource, changed }
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
