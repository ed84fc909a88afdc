import type { FuzzedRequest } from './request-arbitrary.ts'

/** Things that are there, to be named in paths. */
export interface FuzzedWorld {
  /** Path and query of a request, with numbers replaced by what is there. */
  urlOf(request: FuzzedRequest): string
  /** Something was started. */
  add(kind: 'workflow' | 'task', id: string): void
  /** It may be gone. */
  forget(id: string): void
}

const fixed: Readonly<Record<string, readonly string[]>> = {
  role: ['business_analyst', 'developer', 'qa_engineer', 'devops_engineer', 'technical_writer', 'nobody'],
  step: ['a', 'b', 'task', 'nothing'],
  type: ['feature_development', 'bug_fix', 'infrastructure', 'documentation', 'analysis', 'custom'],
  name: ['not-found', 'conflict', 'invalid-request', 'internal', 'nothing'],
  '*': ['a.txt', 'src/app.py', 'nothing'],
}
const mostKnown = 200
// Tasks belong to their role's path, so all are given to one.
const taskRole = 'developer'

/** A world where nothing is yet. */
export function createFuzzedWorld(): FuzzedWorld {
  const ids = { workflow: [] as string[], task: [] as string[] }
  const valueOf = (name: string, value: string | number, isTask: boolean): string => {
    if (typeof value === 'string') return value
    if (name === 'role' && isTask && value % 3 > 0) return taskRole
    const known = fixed[name] ?? (isTask ? ids.task : ids.workflow)
    return known[value % Math.max(1, known.length)] ?? 'nothing'
  }
  return {
    urlOf({ operation, params, query }) {
      const isTask = operation.path.startsWith('/agents')
      const path = operation.path.replaceAll(/\{([^}]+)\}/g, (_all, name: string) =>
        encoded(valueOf(name, params[name] ?? (name === 'role' ? 1 : 0), isTask)),
      )
      const search = Object.entries(query).flatMap(([name, value]) =>
        [value]
          .flat()
          .map((one) => `${encoded(name)}=${encoded(typeof one === 'string' ? one : (JSON.stringify(one) ?? ''))}`),
      )
      return search.length === 0 ? path : `${path}?${search.join('&')}`
    },
    add(kind, id) {
      if (ids[kind].length < mostKnown) ids[kind].push(id)
      else ids[kind][Math.floor(Math.random() * mostKnown)] = id
    },
    forget(id) {
      // The first ones are all that is sure to be there.
      for (const known of Object.values(ids)) if (known.indexOf(id) > 1) known.splice(known.indexOf(id), 1)
    },
  }
}

/** What is legal in a URL goes as it is, badly encoded or not. */
function encoded(text: string): string {
  return /^[\w.%*~-]+$/.test(text) ? text : encodeURIComponent(text.toWellFormed())
}
