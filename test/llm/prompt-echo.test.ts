import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { withoutEcho } from '../../src/llm/prompt-echo.ts'
import { urlSecrets } from '../../src/llm/url-secrets.ts'

const messages = (...contents: readonly string[]) => contents.map((content) => ({ role: 'user' as const, content }))
const mostQuoted = 16

describe('what a server quotes of the prompt', () => {
  test('is taken out, and its own words stay', () => {
    const prompt = 'Write a poem about the secret garden of the queen.'
    const said = withoutEcho(`This model takes no such input: "${prompt}" (request 12345)`, messages('x', prompt))
    expect(said).toMatch(/^This model takes no such in.*\[…\].*\(request 12345\)$/)
    expect(said).not.toMatch(/poem|garden|queen/)
  })

  test('never stays where it is longer than a few words, wherever it stands', () => {
    const own = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' '), maxLength: 40 })
    const prompt = fc.string({ unit: fc.constantFrom('X', 'Y', 'Z'), minLength: mostQuoted + 1, maxLength: 60 })
    fc.assert(
      fc.property(own, prompt, own, (before, quoted, after) => {
        const said = withoutEcho(before + quoted + after, messages(`… ${quoted} …`))
        expect(/[XYZ]+/.exec(said)?.[0] ?? '').toBe('')
      }),
    )
  })

  test('words that it does not quote are left as they are', () => {
    for (const text of ['', 'no', 'The context is too long: 5000 tokens, at most 4096.']) {
      expect(withoutEcho(text, messages('Build a login page.'))).toBe(text)
    }
  })
})

test('a URL’s password is secret, encoded, decoded, and as Basic authorization', () => {
  expect(urlSecrets('http://me:p%40ss@host/v1')).toEqual(['p%40ss', 'p@ss', Buffer.from('me:p@ss').toString('base64')])
  for (const url of ['http://host/v1', 'http://me@host', 'no url', '']) expect(urlSecrets(url)).toEqual([])
})
