import { describe, expect } from 'vitest'
import type { EngineBench, EngineBenchOptions } from '../support/engine-fixture.ts'
import { customSteps, endpointAt, test } from '../support/engine-fixture.ts'
import type { Behaviour, SeenCall } from '../support/fault-answers.ts'
import { startModelServer } from '../support/fault-server.ts'
import { stepOf } from '../support/scripted-steps.ts'

const parallel = 20
const patient = { timeout: 20_000 }
const lines = Array.from({ length: parallel }, (_, n) => `wide${n}`)

/** A model of which each call is answered when it is told so. */
function createHeldModel() {
  const open: { readonly step: string; readonly answer: () => void }[] = []
  const asked: string[] = []
  return {
    open,
    asked,
    answer: (call: SeenCall): Promise<Behaviour> => {
      const { promise, resolve } = Promise.withResolvers<Behaviour>()
      const step = stepOf(call)
      asked.push(step)
      open.push({ step, answer: () => resolve('ok') })
      return promise
    },
  }
}

async function openHeld(
  openBench: (options: EngineBenchOptions) => Promise<EngineBench>,
  { agents, inFlight }: { readonly agents: number; readonly inFlight: number },
) {
  const model = createHeldModel()
  const server = await startModelServer({ answer: model.answer })
  const endpoints = [endpointAt(server.url, { maxInFlight: inFlight })]
  const bench = await openBench({ server, llm: { endpoints }, engine: { maxConcurrentAgents: agents } })
  await bench.engine.start()
  return { ...model, bench, server }
}

describe('a workflow with more steps side by side than can run', () => {
  test.for([
    { bound: 'places', agents: 2, inFlight: 0 },
    { bound: 'what the endpoint takes', agents: 6, inFlight: 2 },
  ])(
    'does not hold up the others, which need only one each; bound by $bound',
    { timeout: 90_000 },
    async (limits, { openBench }) => {
      const { bench, open, asked, server } = await openHeld(openBench, limits)
      const wide = await bench.start(customSteps(...lines))
      await expect.poll(() => open.length, patient).toBe(2)
      const others: string[] = []
      for (const name of ['one', 'two', 'three']) others.push(await bench.start(customSteps(name)))
      for (let freed = 1; freed <= 6; freed += 1) {
        // Whoever is next stands in line before a place is free.
        const served = asked.filter((step) => !step.startsWith('wide')).length
        const busy = open.filter(({ step }) => !step.startsWith('wide')).length
        await expect.poll(() => bench.engine.held(), patient).toBe(1 + busy + (served < others.length ? 1 : 0))
        open.shift()?.answer()
        await expect.poll(() => open.length, patient).toBe(2)
      }
      // Each of the others came at latest when the second place after the one before it was free.
      expect(asked.slice(0, 8).filter((step) => !step.startsWith('wide'))).toEqual(['one', 'two', 'three'])
      const answering = setInterval(() => open.shift()?.answer(), 5)
      for (const id of [wide, ...others]) await bench.toEnd(id)
      clearInterval(answering)
      expect(asked).toHaveLength(parallel + 3)
      expect(bench.defects).toEqual([])
      await server.close()
    },
  )
})
