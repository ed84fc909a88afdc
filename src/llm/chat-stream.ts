import { createHash } from 'node:crypto'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import type { AppError } from '../errors.ts'
import type { Answer } from './answer.ts'
import type { CreateAnswerReader } from './answer-reader.ts'
import { callFailure, failureInStream } from './failures.ts'
import { fieldsOf, isFields, type JsonFields, parseJson } from './json-fields.ts'

const goesOn = { stream: true } as const

/** Reads `chat.completion.chunk` events (OpenAI, and the dialects of llama.cpp, vLLM, Ollama, OpenRouter, DeepSeek). */
export const createChatStreamReader: CreateAnswerReader = (answer, failures) => {
  const decoder = new TextDecoder()
  let done = false
  let fault: AppError | null = null
  let bodyEnded = false

  const onEvent = ({ data, event }: EventSourceMessage): void => {
    if (done || fault !== null) return
    if (!data.startsWith('{') && data.trim() === '[DONE]') {
      done = true
      return
    }
    const chunk = parseJson(data)
    const wrong = faultOf(chunk, event, data)
    // a complete answer is not spoilt by what follows it
    if (wrong !== null) fault = answer.ended ? null : wrong
    else if (isFields(chunk)) takeChunk(chunk)
  }

  const faultOf = (chunk: unknown, event: string | undefined, data: string): AppError | null => {
    if (!isFields(chunk)) {
      // the half of an event at the end says that the answer was cut, not that it is malformed
      if (bodyEnded) return null
      const message = `The model server sent an event of ${data.length} characters (SHA-256 ${digest(data)}…) that is no JSON object.`
      return callFailure('llm_error', message, { retryable: true, endpoint: failures.endpoint })
    }
    const hasError = chunk['error'] !== undefined && chunk['error'] !== null
    return hasError || chunk['object'] === 'error' || event === 'error' ? failureInStream(chunk, failures) : null
  }

  const takeChunk = (chunk: JsonFields): void => {
    answer.noteModel(chunk['model'])
    answer.noteUsage(chunk['usage'])
    const { choices } = chunk
    if (!Array.isArray(choices)) return
    for (const choice of choices) takeChoice(fieldsOf(choice), answer)
  }

  const parser = createParser({ onEvent })
  return {
    push: (bytes) => parser.feed(decoder.decode(bytes, goesOn)),
    // the last event may lack its empty line
    finish: () => {
      bodyEnded = true
      parser.feed(`${decoder.decode()}\n\n`)
    },
    get done() {
      return done
    },
    get fault() {
      return fault
    },
  }
}

// enough to know the same event again without showing any of it
function digest(data: string): string {
  return createHash('sha256').update(data).digest('hex').slice(0, 12)
}

function takeChoice(choice: JsonFields, answer: Answer): void {
  if ((choice['index'] ?? 0) !== 0 || answer.ended) return
  const delta = fieldsOf(choice['delta'])
  answer.addReasoning(delta['reasoning_content'] ?? delta['reasoning'])
  answer.addText(delta['content'])
  answer.addRefusal(delta['refusal'])
  answer.noteFinish(choice['finish_reason'])
}
