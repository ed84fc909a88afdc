import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLiveTexts } from '../../src/workflows/live-texts.ts'
import { createReaderFrames } from '../../src/workflows/reader-frames.ts'
import { createReaderStand } from '../../src/workflows/reader-stand.ts'
import { createWireTimes, wireTime } from '../../src/workflows/wire.ts'
import { createEventWorld } from './event-world.ts'

const anyText = fc.string({ unit: 'binary', minLength: 1 })
const moment = fc.oneof(
  fc.integer({ min: 0, max: 4e12 }),
  fc.integer({ min: 1_790_000_000_000, max: 1_790_000_002_000 }),
)

test('moments are written as ever, whatever came before', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          moment,
          moment.map((whole) => whole + 0.75),
        ),
      ),
      (moments) => {
        const times = createWireTimes()
        expect(moments.map(times)).toEqual(moments.map((at) => wireTime(at)))
      },
    ),
  )
})

test('the data of text is JSON of exactly what it says, whatever is in it', () => {
  const { workflow } = createEventWorld([[], [{ pieces: [], end: 'step.completed' }]])
  const log = { after: () => Promise.resolve(null), closingText: () => Promise.resolve(null) }
  fc.assert(
    fc.property(fc.tuple(anyText, anyText, anyText), moment, ([correlationId, text, reasoning], now) => {
      const live = createLiveTexts()
      const stand = createReaderStand(workflow.id, { seq: 3, open: [{ stepIndex: 1, attempt: 7, offset: 0 }] })
      const parts = { log, live, stand, clock: { now: () => now }, times: createWireTimes() }
      const attempt = live.open(workflow.id, 1, 7)
      const frames = createReaderFrames(parts, { ...workflow, correlationId })
      attempt.reasoning.append(reasoning)
      attempt.output.append('')
      const thought = frames.grow(5)
      attempt.output.append(text)
      attempt.output.append('more')
      const said = [...frames.grow(5), ...frames.grow(5)]
      const about = (type: string) => ({
        type,
        workflow_id: workflow.id,
        at: wireTime(now),
        correlation_id: correlationId,
      })
      const step = workflow.steps[1]?.definition.id
      expect(thought.map(({ id, data }) => [id, data])).toEqual([
        [null, JSON.stringify({ ...about('step.reasoning'), step, attempt: 7, text: reasoning })],
      ])
      expect(said.map(({ id, data }) => [id, data])).toEqual([
        [stand.cursor(), JSON.stringify({ ...about('step.delta'), step, attempt: 7, offset: 0, text: `${text}more` })],
      ])
    }),
  )
})
