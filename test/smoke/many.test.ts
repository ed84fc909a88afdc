import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { customStep, getJson, postWorkflow, test } from './smoke-test.ts'
import type { SeenWorkflow, Site } from './smoke-test.ts'

const workflows = Number(process.env['SMOKE_WORKFLOWS'] ?? 40)
const mostAgents = 5

/** Asks `/livez` again and again until stopped; resolves with the times that it took, in milliseconds. */
async function watchLiveness(site: Site, stop: AbortSignal): Promise<readonly number[]> {
  const times: number[] = []
  while (!stop.aborted) {
    const since = performance.now()
    const answer = await fetch(`${site.url()}/livez`)
    expect(answer.status).toBe(200)
    await answer.body?.cancel()
    times.push(performance.now() - since)
    await delay(20)
  }
  return times
}

async function isCompleted(site: Site, id: string): Promise<boolean> {
  const headers = { accept: 'application/json' }
  const answer = await fetch(`${site.url()}/workflows/${id}/events?wait=30`, { headers })
  const { done, next } = (await answer.json()) as { done: boolean; next: string }
  for (let [over, cursor] = [done, next]; !over;) {
    const page = await fetch(`${site.url()}/workflows/${id}/events?wait=30&after=${encodeURIComponent(cursor)}`, {
      headers,
    })
    ;({ done: over, next: cursor } = (await page.json()) as { done: boolean; next: string })
  }
  const { status } = await getJson<SeenWorkflow>(`${site.url()}/workflows/${id}`)
  return status === 'completed'
}

describe('many workflows at once', { timeout: 60_000 }, () => {
  test('all complete, within the agents that may run, while the process answers', async ({ site, model }) => {
    // Nobody is answered before every place is taken: whether they ever are must not hang on who is quicker.
    const allBusy = model.called(mostAgents)
    const before = async () => {
      await allBusy
      await delay(2)
    }
    model.answerWith(() => ({ text: 'One two three four five.', before }))
    await site.start({ MAX_CONCURRENT_AGENTS: String(mostAgents) })
    const stop = new AbortController()
    const liveness = watchLiveness(site, stop.signal)
    const steps = [customStep('one'), customStep('two', ['one'])]
    const body = { type: 'custom', requirement: 'One of many.', steps }
    const started = await Promise.all(Array.from({ length: workflows }, () => postWorkflow(site.url(), body)))
    const completed = await Promise.all(started.map(({ id }) => isCompleted(site, id)))
    stop.abort()

    expect(completed).toEqual(completed.map(() => true))
    expect(model.calls).toHaveLength(workflows * steps.length)
    expect(model.maxConcurrent).toBe(mostAgents)
    const slowest = Math.round(Math.max(...(await liveness)))
    process.stdout.write(`/livez answered ${(await liveness).length} times, at the slowest in ${slowest} ms\n`)
  })
})
