/** Starts so many workflows with that body; resolves with their ids. Throws when one is refused. */
export async function startWorkflows(url: string, body: unknown, count: number): Promise<readonly string[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${url}/workflows`, { method: 'POST', headers, body: JSON.stringify(body) })
      if (answer.status !== 202) throw new Error(`A workflow was answered with ${answer.status}.`)
      return ((await answer.json()) as { readonly id: string }).id
    }),
  )
}
