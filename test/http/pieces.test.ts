import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseByteRange } from '../../src/http/byte-range.ts'
import { canonicalJson } from '../../src/http/canonical-json.ts'
import { correlationIdOf, traceparentOf } from '../../src/http/correlation.ts'
import { matchesTag } from '../../src/http/entity-tag.ts'
import { mermaidOf } from '../../src/http/mermaid.ts'
import { negotiate } from '../../src/http/negotiation.ts'
import { preferredWait } from '../../src/http/prefer.ts'
import { attachmentNamed } from '../../src/http/send-file.ts'
import { encodeFrame } from '../../src/http/encoded-batches.ts'
import { faultsOfJson } from '../../src/http/well-formed.ts'

const json = 'application/json'
const stream = 'text/event-stream'

describe('negotiation', () => {
  for (const [accept, onPost, onEvents] of [
    [undefined, json, stream],
    ['', json, stream],
    ['*/*', json, stream],
    [json, json, json],
    [stream, stream, stream],
    ['text/*', stream, stream],
    [`${json}, ${stream}`, json, stream],
    [`${stream}, */*`, stream, stream],
    ['application/json, text/plain, */*', json, json],
    [`${json};q=0.5, ${stream};q=0.9`, stream, stream],
    [`${stream};q=0, */*`, json, json],
    ['TEXT/EVENT-STREAM', stream, stream],
    ['text/html', null, null],
    [`${json};q=0`, null, null],
    ['nonsense', null, null],
  ] as const) {
    test(`Accept: ${accept}`, () => {
      expect(negotiate(accept, [json, stream])).toBe(onPost)
      expect(negotiate(accept, [stream, json])).toBe(onEvents)
    })
  }

  test('never throws, and only picks what is offered', () => {
    fc.assert(
      fc.property(fc.string(), (accept) => {
        expect([null, json, stream]).toContain(negotiate(accept, [json, stream]))
      }),
    )
  })
})

describe('ranges', () => {
  for (const [header, size, expected] of [
    ['bytes=0-0', 10, { start: 0, end: 0 }],
    ['bytes=2-', 10, { start: 2, end: 9 }],
    ['bytes=-3', 10, { start: 7, end: 9 }],
    ['bytes=-30', 10, { start: 0, end: 9 }],
    ['bytes=5-500', 10, { start: 5, end: 9 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=5-2', 10, null],
    ['bytes=0-1,3-4', 10, null],
    ['lines=0-1', 10, null],
    [undefined, 10, null],
  ] as const) {
    test(`${header} of ${size}`, () => expect(parseByteRange(header, size)).toEqual(expected))
  }

  test('a part is always inside the file', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(1000), (first, last, size) => {
        const range = parseByteRange(`bytes=${first}-${last}`, size)
        if (range === null || range === 'unsatisfiable') return
        expect(range.start).toBeLessThanOrEqual(range.end)
        expect(range.end).toBeLessThan(size)
      }),
    )
  })
})

function hasPrototypeName(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasPrototypeName)
}

describe('well-formed JSON', () => {
  test('text without faults has none, at any depth up to the limit', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme-ascii', maxDepth: 6 }), (value) => {
        expect(faultsOfJson(value).length > 0).toBe(hasPrototypeName(value))
      }),
    )
  })

  test('points at the text, and escapes the pointer', () => {
    expect(faultsOfJson({ 'a/b~c': [1, '\udc00'] })).toEqual([
      { pointer: '/a~1b~0c/1', detail: 'must not hold a lone surrogate' },
    ])
    expect(faultsOfJson({ emoji: '😀' })).toEqual([])
  })

  test('survives depth that recursion would not', () => {
    let deep: unknown = 0
    for (let level = 0; level < 100_000; level += 1) deep = [deep]
    expect(faultsOfJson(deep)).toHaveLength(1)
  })
})

describe('canonical JSON', () => {
  test('is JSON with sorted names', () => {
    expect(canonicalJson({ b: 1, a: { 10: 1, 9: 2, ä: null }, '😀': [], '\uFFFD': {} })).toBe(
      '{"a":{"10":1,"9":2,"ä":null},"b":1,"😀":[],"\uFFFD":{}}',
    )
  })

  test('says the same as the value, whatever the order', () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed)
      if (value === null || typeof value !== 'object') return value
      return Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([name, item]) => [name, reversed(item)]),
      )
    }
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        const value: unknown = JSON.parse(text)
        expect(JSON.parse(canonicalJson(value))).toEqual(value)
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value))
      }),
    )
  })
})

describe('headers', () => {
  test('correlation ids', () => {
    expect(correlationIdOf({ 'x-correlation-id': 'abc 123' })).toBe('abc 123')
    expect(correlationIdOf({ 'x-request-id': 'abc' })).toBe('abc')
    expect(correlationIdOf({ 'x-correlation-id': 'ä', 'x-request-id': 'b' })).toBe('b')
    expect(correlationIdOf({ 'x-correlation-id': 'x'.repeat(129) })).toMatch(/^[0-9a-f-]{36}$/)
    expect(correlationIdOf({})).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  })

  test('traceparent', () => {
    const good = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    expect(traceparentOf({ traceparent: good })).toBe(good)
    expect(traceparentOf({ traceparent: good.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)) })).toBeNull()
    expect(traceparentOf({ traceparent: good.replace('00-', 'ff-') })).toBeNull()
    expect(traceparentOf({ traceparent: 'x' })).toBeNull()
  })

  test('Prefer: wait', () => {
    expect(preferredWait('wait=10')).toBe(10)
    expect(preferredWait('respond-async, wait=300')).toBe(300)
    expect(preferredWait('Wait = 5; x')).toBe(5)
    for (const bad of [undefined, 'wait', 'wait=0', 'wait=301', 'wait=-1', 'wait=1.5', 'await=3']) {
      expect(preferredWait(bad)).toBeNull()
    }
  })

  test('entity tags are compared weakly', () => {
    expect(matchesTag('"a", W/"b"', '"b"')).toBe(true)
    expect(matchesTag('*', 'W/"x"')).toBe(true)
    expect(matchesTag('"x"', 'W/"x"')).toBe(true)
    expect(matchesTag('"y"', 'W/"x"')).toBe(false)
    expect(matchesTag(undefined, 'W/"x"')).toBe(false)
  })

  test('names of attachments hold nothing that a header must not', () => {
    expect(attachmentNamed('a "b".py')).toBe(`attachment; filename="a _b_.py"; filename*=UTF-8''a%20%22b%22.py`)
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (name) => {
        expect(attachmentNamed(name)).toMatch(/^[\x20-\x7e]*$/)
      }),
    )
  })
})

test('frames', () => {
  expect(encodeFrame({ id: 'c1', type: 'step.delta', data: '{}' })).toBe('id: c1\nevent: step.delta\ndata: {}\n\n')
  expect(encodeFrame({ id: null, type: 'step.reasoning', data: '{}' })).toBe('event: step.reasoning\ndata: {}\n\n')
})

test('Mermaid survives a step that is called end, and a role with quotes', () => {
  const text = mermaidOf({
    id: 'wf_1',
    type: 'custom',
    status: 'running',
    nodes: [
      { id: 'begin', role: 'developer', status: 'completed', attempt: 1 },
      { id: 'end', role: 'a "b" <c>', status: 'running', attempt: 1 },
    ],
    edges: [{ from: 'begin', to: 'end' }],
  })
  expect(text).toContain('flowchart TD\n')
  expect(text).toContain('  s0 --> s1\n')
  expect(text).toContain('s1["end<br/>a #34;b#34; #60;c#62;<br/>running"]:::running')
})
