import { describe, expect, test } from 'vitest'
import { answerRows } from './fault-matrix/answer-rows.ts'
import { bodyRows } from './fault-matrix/body-rows.ts'
import { connectionRows } from './fault-matrix/connection-rows.ts'
import { expectBetween, expectJournal, expectNextTry, expectOutcome, expectTold } from './fault-matrix/expectations.ts'
import type { PlayedCase } from './fault-matrix/fault-case.ts'
import { overflowRows } from './fault-matrix/overflow-rows.ts'
import { policyRows } from './fault-matrix/policy-rows.ts'
import { failoverRows } from './fault-matrix/failover-rows.ts'
import { pacingRows } from './fault-matrix/pacing-rows.ts'
import { stormRows } from './fault-matrix/storm-rows.ts'
import { openScene } from './fault-matrix/scene.ts'
import { statusRows } from './fault-matrix/status-rows.ts'
import { stillRows } from './fault-matrix/still-rows.ts'
import { neverAborted } from './llm-fixture.ts'

async function play(played: PlayedCase): Promise<void> {
  const scene = await openScene(played)
  try {
    if (played.plays !== undefined) {
      await played.plays(scene)
      return
    }
    const outcome = await scene.call({ ...played.request, stream: played.stream ?? true })
    if (played.takesMs !== undefined) expectBetween(scene.clock.now(), played.takesMs)
    expectOutcome(played, outcome)
    await expectJournal(played, scene)
    expectTold(played, scene, outcome)
    if (played.learnsWindow !== undefined) {
      const targets = await scene.client.targets(null, neverAborted)
      expect(targets.map(({ contextWindow }) => contextWindow)).toEqual([played.learnsWindow])
    }
    await played.also?.(scene)
    await expectNextTry(played, scene, outcome)
  } finally {
    await scene.close()
  }
}

const tables = {
  'connection level': [...connectionRows, ...stillRows],
  'HTTP status and body': [...statusRows, ...bodyRows, ...answerRows, ...overflowRows, ...pacingRows, ...policyRows],
  'several endpoints, many calls': [...failoverRows, ...stormRows],
}
describe.for(Object.entries(tables))('%s', ([, cases]) => {
  for (const one of cases) {
    if ('skip' in one) test.skip(`${one.row} › ${one.form} (${one.skip})`)
    else test(`${one.row} › ${one.form}`, () => play(one))
  }
})
