import { expect, test } from 'vitest'
import { createScrub } from '../../src/llm/scrub.ts'

const scrub = createScrub(['very-secret-key', 'not-needed', 'abc'])

test.each([
  ['key very-secret-key is wrong', 'key … is wrong'],
  ['Incorrect API key: sk-proj-abc***xyz.', 'Incorrect API key: sk-…'],
  ['header "Bearer abc.def" refused', 'header "Bearer …" refused'],
  ['cannot reach http://user:pass@host/v1', 'cannot reach http://…@host/v1'],
  ['<p>Bad <b>gateway</b></p>\n\n<script>alert(1)</script> now', 'Bad gateway now'],
  ['api key not-needed, abc', 'api key not-needed, abc'],
  ['a\0b\u001Bc \uD83D', 'a b c \uFFFD'],
])('%j becomes %j', (text, expected) => {
  expect(scrub(text)).toBe(expected)
})

test('at most 200 characters, also of hostile text', () => {
  for (const piece of ['<', '<a', '//', '<!--', 'sk-', 'Bearer ', '<script>', ' ', 'x😀']) {
    expect(scrub(piece.repeat(100_000)).length).toBeLessThanOrEqual(200)
  }
})
