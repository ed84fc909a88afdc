import { expect } from 'vitest'
import { breakerStates } from './expectations.ts'
import { type FaultCase, row, type Scene } from './fault-case.ts'

const designed = { breaker: { threshold: 5, openMs: 60_000, halfOpen: 3 } }

async function openByFaults({ call, told }: Scene): Promise<void> {
  for (let n = 1; n <= 5; n += 1) {
    expect(breakerStates(told)).toEqual([])
    expect((await call()).failure).toMatchObject({ code: 'llm_error' })
  }
  expect(breakerStates(told)).toEqual(['open'])
}

function failing({ server }: Scene): void {
  server.answerWith(() => ({ status: 500 }))
}

/** What holds over many calls. */
export const policyRows: readonly FaultCase[] = [
  ...row(
    'breaker open',
    {
      form: 'refuses without touching the network',
      options: designed,
      plays: async (scene) => {
        const { call, server, client, told, clock } = scene
        failing(scene)
        await openByFaults(scene)
        clock.advance(59_000)
        const refusedCalls = await Promise.all(Array.from({ length: 50 }, () => call()))
        for (const { failure } of refusedCalls) {
          const details = { retryable: true, endpoint: 'default', retryAfterMs: 1_000 }
          expect(failure).toMatchObject({ name: 'AppError', code: 'circuit_open', details })
          expect(failure?.message).toMatch(/^Circuit breaker is OPEN for endpoint "default".* Next try in 1 s\.$/)
        }
        expect(server.calls).toHaveLength(5)
        expect(told.filter(({ type }) => type === 'llm.call_started')).toHaveLength(5)
        expect(client.status().breakers).toMatchObject([{ state: 'open', hurting: true, retryInMs: 1_000 }])
      },
    },
    {
      form: 'lets three through afterwards, closes after three',
      options: designed,
      plays: async (scene) => {
        const { call, server, told, clock } = scene
        failing(scene)
        await openByFaults(scene)
        clock.advance(60_000)
        const answers = Promise.withResolvers<string>()
        server.answerWith(() => answers.promise)
        const running = Array.from({ length: 10 }, () => call())
        await server.called(8)
        answers.resolve('well again')
        const codes = (await Promise.all(running)).map(({ failure }) => failure?.code ?? 'success')
        expect(codes.toSorted()).toEqual([
          ...Array.from({ length: 7 }, () => 'circuit_open'),
          ...Array.from({ length: 3 }, () => 'success'),
        ])
        expect(server.calls).toHaveLength(8)
        expect(breakerStates(told)).toEqual(['open', 'half_open', 'closed'])
      },
    },
    {
      form: 'opens again at one failure',
      options: designed,
      plays: async (scene) => {
        const { call, server, told, clock, client } = scene
        failing(scene)
        await openByFaults(scene)
        clock.advance(60_000)
        expect((await call()).failure).toMatchObject({ code: 'llm_error' })
        expect((await call()).failure).toMatchObject({ code: 'circuit_open' })
        expect(server.calls).toHaveLength(6)
        expect(breakerStates(told)).toEqual(['open', 'half_open', 'open'])
        expect(client.status().breakers).toMatchObject([{ retryInMs: 60_000 }])
      },
    },
    { form: 'steps wait', skip: 'the step runner’s: test/workflows/step-runner.test.ts' },
  ),
]
