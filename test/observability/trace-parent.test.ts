import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  newSpanContext,
  readTraceparent,
  spanWithin,
  workflowSpan,
  writeTraceparent,
} from '../../src/observability/trace-parent.ts'

const all = { samples: () => true }
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

test('what is written is read again', () => {
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom('0', '1', '5', '9', 'a', 'f'), minLength: length, maxLength: length })
  fc.assert(
    fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, sampled) => {
      const context = { traceId, spanId, sampled }
      expect(readTraceparent(writeTraceparent(context))).toEqual(context)
    }),
  )
})

test('what is none is null', () => {
  for (const text of [null, undefined, '', 'x', traceparent.toUpperCase(), `${traceparent}-x`]) {
    expect(readTraceparent(text)).toBeNull()
  }
})

test('a workflow’s span is the same for all who ask, below the request that started it', () => {
  const asked = { id: 'wf_1', traceparent }
  const { context, parent } = workflowSpan(all, asked)
  expect(parent).toEqual(readTraceparent(traceparent))
  expect(context.traceId).toBe(parent?.traceId)
  expect(workflowSpan(all, asked)).toEqual({ context, parent })
  expect(workflowSpan(all, { id: 'wf_2', traceparent }).context.spanId).not.toBe(context.spanId)
})

test('without a request’s trace it is the first of a trace of its own, which is also the same for all', () => {
  const { context, parent } = workflowSpan(all, { id: 'wf_1', traceparent: null })
  expect(parent).toBeNull()
  expect(context.traceId).toMatch(/^[0-9a-f]{32}$/)
  expect(workflowSpan(all, { id: 'wf_1', traceparent: null }).context).toEqual(context)
  expect(workflowSpan(all, { id: 'wf_2', traceparent: null }).context.traceId).not.toBe(context.traceId)
})

test('spans within it differ by their names, and are the same for all', () => {
  const { context } = workflowSpan(all, { id: 'wf_1', traceparent })
  const names = [['task_1', 1], ['task_1', 2], ['task_2', 1], ['task_11'], ['task_1', '1']] as const
  const ids = names.map((each) => spanWithin(all, context, each).spanId)
  expect(new Set(ids).size).toBe(names.length)
  expect(names.map((each) => spanWithin(all, context, each).spanId)).toEqual(ids)
})

test('who decides about samples is asked with the parent', () => {
  const asked: unknown[] = []
  const writer = {
    samples: (traceId: string, parent: unknown) => {
      asked.push([traceId, parent])
      return false
    },
  }
  const parent = readTraceparent(traceparent)
  expect(newSpanContext(writer, parent)).toMatchObject({ traceId: parent?.traceId, sampled: false })
  expect(asked).toEqual([[parent?.traceId, parent]])
})
