import { describe, expect, test } from 'vitest'

import { createEventJournal } from '../smoke/event-journal.ts'
import type { Assignment } from './assignments.ts'
import { checkCalls } from './check-calls.ts'
import type { Evidence, WorkflowEvidence } from './evidence.ts'
import type { JournalledCall } from './faulty-model.ts'
import { trackWorkflow } from './tracked-workflow.ts'
import type { SeenEvent } from './tracked-workflow.ts'

/** A workflow of one step `a`, told in the order in which things happen in the world. */
function tell() {
  const calls: JournalledCall[] = []
  const log = createEventJournal()
  const tracked = trackWorkflow({
    id: 'wf_1',
    assignment: {} as Assignment,
    askedAtMs: 0,
    now: () => 0,
    calls: () => calls.length,
  })
  let seq = 0
  const story = {
    /** It happens, and a reader may read it later. */
    happens(type: string, more: Partial<SeenEvent> = {}): SeenEvent {
      seq += 1
      const event = { type, workflow_id: 'wf_1', seq, correlation_id: 'start 1', ...more }
      log.take(event, `${seq}`)
      return event
    },
    isRead: (...events: readonly SeenEvent[]) => events.forEach((event) => tracked.take(event)),
    isCalled: () =>
      void calls.push({
        index: calls.length,
        assignment: 1,
        step: 'a',
        isContinuation: false,
        said: 'text',
        isWhole: true,
        isLong: false,
      }),
    sends: (key: string) => tracked.sending('rerun', key),
    late(): readonly string[] {
      const workflow = { usage: { llm_calls: calls.length } }
      const evidence = { tracked, log, calls, workflow, steps: [], readers: [], disturbed: true }
      const checks = checkCalls({ workflows: [evidence as unknown as WorkflowEvidence] } as unknown as Evidence)
      return checks.find(({ name }) => name.startsWith('no call for a step'))?.faults ?? ['it was not looked at']
    },
  }
  return story
}

const first = { step: 'a', attempt: 1 }
const second = { step: 'a', attempt: 2 }

/** The step has its first result. */
function toFirstResult() {
  const story = tell()
  const started = story.happens('step.started', first)
  story.isCalled()
  return { story, early: [started, story.happens('step.completed', { ...first, output: 'text' })] }
}

describe('a call for a step whose result could be read', () => {
  test('is found when nobody asked for another', () => {
    const { story, early } = toFirstResult()
    story.isRead(...early)
    expect(story.late()).toEqual([])
    story.isCalled()
    expect(story.late()).toHaveLength(1)
  })

  test('is lawful after somebody asked for it, and found before', () => {
    for (const isEarly of [false, true]) {
      const { story, early } = toFirstResult()
      story.isRead(...early)
      if (isEarly) story.isCalled()
      story.sends('rerun 1')({ status: 202, unanswered: 0 })
      story.happens('workflow.resumed', { from: 'completed', correlation_id: 'rerun 1' })
      story.happens('step.started', second)
      story.isCalled()
      expect(story.late()).toHaveLength(isEarly ? 1 : 0)
    }
  })

  test('is lawful when the rerun was answered before a cut reader first read the former result', () => {
    const { story, early } = toFirstResult()
    story.sends('rerun 1')({ status: 202, unanswered: 0 })
    const resumed = story.happens('workflow.resumed', { from: 'completed', correlation_id: 'rerun 1' })
    story.isRead(...early, resumed)
    story.happens('step.started', second)
    story.isCalled()
    expect(story.late()).toEqual([])
  })

  test('is found although it had been asked for again before that result', () => {
    const { story, early } = toFirstResult()
    story.isRead(...early)
    story.sends('rerun 1')({ status: 202, unanswered: 0 })
    const resumed = story.happens('workflow.resumed', { from: 'completed', correlation_id: 'rerun 1' })
    const started = story.happens('step.started', second)
    story.isCalled()
    story.isRead(resumed, started, story.happens('step.completed', { ...second, output: 'text' }))
    expect(story.late()).toEqual([])
    story.isCalled()
    story.sends('rerun 2')({ status: 202, unanswered: 0 })
    story.happens('workflow.resumed', { from: 'completed', correlation_id: 'rerun 2' })
    story.happens('step.started', { step: 'a', attempt: 3 })
    expect(story.late()).toHaveLength(1)
  })
})
