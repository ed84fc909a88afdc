import { describe, expect } from 'vitest'
import { otherForm, requestBody, usualForm } from '../../src/llm/request-body.ts'
import { plainRequest, test } from './llm-fixture.ts'

const wantsNewName = {
  message: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
  type: 'invalid_request_error',
  param: 'max_tokens',
  code: 'unsupported_parameter',
}
const wantsNoTemperature = {
  message:
    "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is supported.",
  type: 'invalid_request_error',
  param: 'temperature',
  code: 'unsupported_value',
}

function refusal(error: { readonly message: string }) {
  return { status: 400, error: { fields: error, message: error.message, status: null } }
}

describe('the form of a request', () => {
  test('is the usual one until a server asks for another', () => {
    expect(requestBody(plainRequest, usualForm)).toMatchObject({ max_tokens: 100, temperature: 0.7 })
    const newer = otherForm(usualForm, refusal(wantsNewName))
    expect(newer).toEqual({ limitName: 'max_completion_tokens', takesTemperature: true })
    const newest = newer && otherForm(newer, refusal(wantsNoTemperature))
    expect(newest).toEqual({ limitName: 'max_completion_tokens', takesTemperature: false })
    expect(newest && requestBody(plainRequest, newest)).not.toHaveProperty('temperature')
    expect(newest && otherForm(newest, refusal(wantsNoTemperature))).toBeNull()
  })

  test.for([
    ['max_tokens is too large: 32000. This model supports at most 16384 completion tokens', 'max_tokens'],
    ["Invalid 'temperature': expected a value <= 1", 'temperature'],
    ['This model does not support tools', 'tools'],
  ])('does not change for "%s"', ([message = '', param]) => {
    expect(otherForm(usualForm, refusal({ message, param } as { message: string }))).toBeNull()
  })
})

test('a reasoning model is asked in its own words, found out once', async ({ openBench }) => {
  const bench = await openBench()
  bench.server.answerWith(({ body }) => {
    if ('max_tokens' in body) return { status: 400, body: { error: wantsNewName } }
    return 'temperature' in body ? { status: 400, body: { error: wantsNoTemperature } } : 'thought over'
  })
  expect((await bench.call()).text).toBe('thought over')
  expect((await bench.call()).text).toBe('thought over')
  expect(bench.server.calls).toHaveLength(4)
  expect(bench.server.calls.at(-1)?.body).toMatchObject({ max_completion_tokens: 100 })
  expect(bench.ends().map(({ outcome }) => outcome)).toEqual(['success', 'success'])
})
