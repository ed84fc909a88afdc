import type { ProcessReplica } from '../support/process-cluster.ts'

/** Starts a workflow of one step, which can be told by its task; its id. */
export async function startTalk({ url }: Pick<ProcessReplica, 'url'>, task: string): Promise<string> {
  const steps = [{ id: 'talk', role: 'developer', task }]
  const answer = await fetch(`${url}/workflows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'custom', requirement: 'Talk.', steps }),
  })
  if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as { readonly id: string }).id
}
