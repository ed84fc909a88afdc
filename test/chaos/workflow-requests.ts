/** A workflow of the service, as far as it is looked at here. */
export interface SeenWorkflow {
  readonly id: string
  readonly type: string
  readonly status: string
  readonly duration_ms: number
  readonly error: { readonly code: string } | null
  readonly usage: { readonly llm_calls: number }
  readonly steps: readonly {
    readonly id: string
    readonly status: string
    readonly attempt: number
    readonly depends_on: readonly string[]
    readonly ended_at: string | null
    readonly endpoint: string | null
    readonly output: string | null
    readonly usage: { readonly llm_calls: number }
    readonly error: { readonly code: string } | null
  }[]
}

/** Statuses of a workflow that has ended. */
export const endings: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])

const waitSeconds = 60

/** Starts a workflow; with `wait`, stays until it has ended or a minute is over. Throws on an answer that should not be. */
export async function startWorkflow(url: string, assignment: object, wait = false): Promise<SeenWorkflow> {
  const answer = await fetch(`${url}/workflows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(wait ? { prefer: `wait=${waitSeconds}` } : {}) },
    body: JSON.stringify(assignment),
  })
  if (answer.status !== 200 && answer.status !== 202) throw new Error(`POST: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as SeenWorkflow
}

/** Looks at a workflow. Throws on an answer that should not be. */
export async function lookAt(address: string): Promise<SeenWorkflow> {
  return (await get(address)) as SeenWorkflow
}

/** How many workflows, of up to a hundred, have one of the statuses. Throws on an answer that should not be. */
export async function countWorkflows(url: string, statuses: Iterable<string>): Promise<number> {
  const filter = [...statuses].map((status) => `&status=${status}`).join('')
  const page = (await get(`${url}/workflows?limit=100${filter}`)) as { readonly data: readonly unknown[] }
  return page.data.length
}

async function get(address: string): Promise<unknown> {
  const answer = await fetch(address)
  if (answer.status !== 200) throw new Error(`GET: ${answer.status} ${await answer.text()}`)
  return answer.json()
}
