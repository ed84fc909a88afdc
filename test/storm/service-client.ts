/** Starts a workflow of one step, `talk`; resolves with its id. */
export async function startTalk(url: string): Promise<string> {
  const steps = [{ id: 'talk', role: 'developer', task: 'Talk.' }]
  const answer = await fetch(`${url}/workflows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'custom', requirement: 'Weather it.', steps }),
  })
  if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as { id: string }).id
}

/** Where a workflow stands. */
export async function statusOf(url: string, id: string): Promise<string> {
  const answer = await fetch(`${url}/workflows/${id}`)
  return ((await answer.json()) as { status: string }).status
}

/** Event streams that the service holds to be open, by its own gauge. */
export async function openStreams(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^sse_connections (\d+)$/m.exec(text)?.[1] ?? NaN)
}
