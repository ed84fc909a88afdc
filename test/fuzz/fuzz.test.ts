import { expect } from 'vitest'
import { failureCodes } from '../../src/errors.ts'
import { test } from '../smoke/smoke-test.ts'
import { runFuzz } from './run-fuzz.ts'

const requests = 2000

/** What a workflow that has completed refuses, or one that has told nothing. */
const refusing: readonly string[] = [
  'POST /workflows/{id}/steps/{step}/approve',
  'POST /workflows/{id}/steps/{step}/reject',
  'POST /workflows/{id}/resume',
  'POST /workflows/{id}/webhooks/{delivery}/redeliver',
  'POST /agents/{role}/tasks/{id}/resume',
  'POST /agents/{role}/tasks/{id}/webhooks/{delivery}/redeliver',
]

/** Nobody is called: nothing listens where it is allowed. */
const webhooks = {
  WEBHOOKS_ENABLED: 'true',
  WEBHOOKS_SECRET: `whsec_${'A'.repeat(32)}`,
  WEBHOOKS_ALLOWED_HOSTS: '127.0.0.1:1',
}

function isFailure(code: unknown): boolean {
  return failureCodes.some((known) => known === code && known !== 'internal')
}

test('every example is answered as described, and no generated request gets a 5xx or hangs', async ({
  site,
  model,
}) => {
  model.answerWith(() => ({ text: 'Done.\n```text:a.txt\nhello\n```\n' }))
  const service = await site.start({ MAX_CONCURRENT_AGENTS: '20', ...webhooks })
  const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 1e9))
  const { faults, statuses, unserved } = await runFuzz({ url: service.url, seed, requests })
  expect({ seed, faults: faults.slice(0, 10) }).toEqual({ seed, faults: [] })
  expect(unserved).toEqual(refusing)
  expect(statuses.get(200)).toBeGreaterThan(requests / 10)
  // a budget that is too small, or a time that is too short, fails a step as it should
  const defects = service.log().filter(({ level, error_code: code }) => level === 'ERROR' && !isFailure(code))
  expect(defects).toEqual([])
}, 120_000)
