import { expect } from 'vitest'
import type { LlmEvent } from '../../../src/llm/model.ts'
import { retryDelayMs } from '../../../src/llm/retry.ts'
import { admitted, neverAborted, nextTry, type Outcome, plainRequest } from '../llm-fixture.ts'
import type { ExpectedFailure, ExpectedText, PlayedCase, Scene } from './fault-case.ts'

const { target } = plainRequest

const longestLoadingMs = 120_000
const longestWaitMs = 3_600_000

/** What the caller got. */
export function expectOutcome({ fails, gives, before }: PlayedCase, outcome: Outcome): void {
  if (fails !== undefined) expectFailure(fails, outcome)
  if (gives !== undefined) expectText(gives, outcome)
  if (before !== undefined) expect(outcome.text).toBe(before)
}

function expectFailure(fails: ExpectedFailure, { failure, events }: Outcome): void {
  const { code, retryable, status, uncounted, overflow, message = /./ } = fails
  const details = { retryable, endpoint: 'default', ...(status === undefined ? {} : { status }) }
  expect(failure).toMatchObject({ name: 'AppError', code, details })
  expectAskedFor(fails, failure?.details.retryAfterMs)
  expect(failure?.details.uncounted).toBe(uncounted)
  expect(failure?.details.overflow).toEqual(overflow)
  expectHarmless(failure?.message ?? '')
  expect(failure?.message).toMatch(message)
  expect(events.map(({ type }) => type)).not.toContain('end')
}

function expectAskedFor({ retryAfterMs }: ExpectedFailure, toldMs: number | undefined): void {
  if (retryAfterMs === undefined) expect(toldMs).toBeUndefined()
  else expectBetween(toldMs, typeof retryAfterMs === 'number' ? [retryAfterMs, retryAfterMs] : retryAfterMs)
}

// one short line without a secret, a tag or a stack
function expectHarmless(message: string): void {
  expect(message).toMatch(/^[\x20-\x7e…]{1,299}$/)
  expect(message).not.toMatch(/canary|sk-[a-z]|<\/?[a-z]|node_modules|\bat .*:\d+/i)
}

function expectText({ text, reasoning = '', finishReason = 'stop', usage = {} }: ExpectedText, outcome: Outcome): void {
  const { events, failure } = outcome
  expect({ failure, text: outcome.text }).toEqual({ failure: null, text })
  expect(events.map((event) => (event.type === 'reasoning' ? event.text : '')).join('')).toBe(reasoning)
  expect(events.slice(-2)).toMatchObject([
    { type: 'usage', usage },
    { type: 'end', finishReason },
  ])
  expect(events.filter(({ type }) => type === 'usage' || type === 'end')).toHaveLength(2)
  const counted = events.flatMap((event) => (event.type === 'usage' ? Object.values(event.usage) : []))
  for (const figure of counted) expect(figure === true || figure === false || Number.isSafeInteger(figure)).toBe(true)
}

/** What the server saw. */
export async function expectJournal({ calls = 1, leaves = false }: PlayedCase, { server }: Scene): Promise<void> {
  expect(server.calls).toHaveLength(calls)
  for (const call of server.calls) {
    await call.ended
    expect(call.aborted).toBe(leaves)
  }
}

/** What the observer was told, and what the figures say. */
export function expectTold({ fails }: PlayedCase, { told, client }: Scene, { failure }: Outcome): void {
  const calls = told.filter(({ type }) => type === 'llm.call_started' || type === 'llm.call_ended')
  const { status, message } = { status: failure?.details.status, message: failure?.message }
  const words = Object.entries({ status, message }).filter(([, value]) => value !== undefined)
  expect(calls).toMatchObject([
    { type: 'llm.call_started', endpoint: 'default', model: 'test-model' },
    { type: 'llm.call_ended', endpoint: 'default', outcome: fails?.code ?? 'success', ...Object.fromEntries(words) },
  ])
  const opened = fails?.breaker === 'opens'
  expect(breakerStates(told)).toEqual(opened ? ['open'] : [])
  expect(client.status()).toMatchObject({
    requestCount: 1,
    successRate: fails === undefined ? 1 : 0,
    endpoints: [{ inFlight: 0, requests: 1, failures: fails === undefined ? 0 : 1 }],
    breakers: [{ state: opened ? 'open' : 'closed', hurting: opened }],
  })
}

/** That the next try comes when it may, not earlier, and is answered; that others are not held up by a final failure. */
export async function expectNextTry({ fails, calls = 1 }: PlayedCase, scene: Scene, outcome: Outcome): Promise<void> {
  if (fails === undefined) return
  const { clock, client, server, told } = scene
  const candidates = nextTry(target)
  const waitMs = client.readyInMs(candidates)
  if (fails.breaker === 'stays closed') expect(waitMs).toBe(notBeforeMs(outcome))
  // a script may move the clock once more before it sees that the client has gone
  else expectBetween(waitMs, [58_000, 60_000])
  if (waitMs > 0) expect(client.admit(candidates)).toBe('closed')
  if (scene.mend === null) return
  await scene.mend()
  const delayMs = retryDelayMs({ tries: 1, initialMs: 1_000, maxMs: 60_000, random: () => 0.5 })
  clock.advance(Math.max(waitMs, delayMs))
  await client.whenReady(candidates, neverAborted)
  const permit = admitted(client.admit(candidates))
  const next = await scene.call({ permit })
  permit.release()
  expect(next).toMatchObject({ text: 'ok', failure: null })
  expect(server.calls).toHaveLength(calls + 1)
  expect(breakerStates(told)).toEqual(fails.breaker === 'opens' ? ['open', 'half_open', 'closed'] : [])
}

function notBeforeMs({ failure }: Outcome): number {
  const { retryable, retryAfterMs, uncounted } = failure?.details ?? {}
  if (uncounted === true) return longestLoadingMs
  const unasked = failure?.code === 'llm_rate_limited' ? 1_000 : 0
  return retryable === true ? Math.min(retryAfterMs ?? unasked, longestWaitMs) : 0
}

/** The changes of the breaker that were told. */
export function breakerStates(told: readonly LlmEvent[]): readonly string[] {
  return told.flatMap((event) => (event.type === 'llm.breaker_changed' ? [event.state] : []))
}

/** Bounds included. */
export function expectBetween(value: number | undefined, [least, most]: readonly [number, number]): void {
  expect(value).toBeGreaterThanOrEqual(least)
  expect(value).toBeLessThanOrEqual(most)
}
