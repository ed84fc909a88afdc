import { createParser } from 'eventsource-parser'
import { describe, expect, it, onTestFinished } from 'vitest'

import { readAnswers } from '../../demo/answers.ts'
import { SCRIPTED_MODEL, startModelServer } from '../../demo/model-server.ts'

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string }; readonly finish_reason: string | null }[]
  readonly usage?: { readonly completion_tokens: number }
}

async function start() {
  const answers = await readAnswers()
  const server = await startModelServer(answers, 0)
  onTestFinished(() => server.close())
  return { server, textOf: (step: string) => answers.find((answer) => answer.step === step)?.text }
}

async function ask(url: string, prompt: string): Promise<readonly Chunk[]> {
  const response = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({
      model: SCRIPTED_MODEL,
      stream: true,
      stream_options: { include_usage: true },
      messages: [
        { role: 'system', content: 'You are an agent. Step: implementation (developer) is only an example.' },
        { role: 'user', content: prompt },
      ],
    }),
  })
  expect(response.status).toBe(200)
  const chunks: Chunk[] = []
  const parser = createParser({
    onEvent: ({ data }) => void (data === '[DONE]' || chunks.push(JSON.parse(data))),
  })
  parser.feed(await response.text())
  return chunks
}

const join = (chunks: readonly Chunk[]) => chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')

describe('the scripted model server', () => {
  it('streams the answer of the step that the prompt names, and its usage', async () => {
    const { server, textOf } = await start()
    const chunks = await ask(
      server.url,
      'Step: bug_fix (developer)\n\nFix it. Step: bug_analysis (qa_engineer) found it.',
    )
    expect(join(chunks)).toBe(textOf('bug_fix'))
    expect(chunks.some((chunk) => chunk.choices[0]?.finish_reason === 'stop')).toBe(true)
    expect(chunks.at(-1)?.usage?.completion_tokens).toBeGreaterThan(100)
  })

  it('takes the first step line of a prompt that quotes others', async () => {
    const { server, textOf } = await start()
    const chunks = await ask(
      server.url,
      'Step: documentation (technical_writer)\n\nEarlier:\nStep: implementation (developer)',
    )
    expect(join(chunks)).toBe(textOf('documentation'))
  })

  it('answers an unknown step in the name of its role', async () => {
    const { server } = await start()
    const text = join(await ask(server.url, 'Step: threat_model (security_engineer)\n\nThink.'))
    expect(text).toContain('security_engineer')
    expect(text).toContain('threat_model')
  })

  it('lists its model', async () => {
    const { server } = await start()
    const list = await fetch(`${server.url}/models`, { headers: { connection: 'close' } })
    expect(await list.json()).toMatchObject({ data: [{ id: SCRIPTED_MODEL }] })
  })
})
