import type { AppError } from '../errors.ts'
import type { Answer } from './answer.ts'
import type { CreateAnswerReader } from './answer-reader.ts'
import { callFailure, failureInStream, type FailureContext } from './failures.ts'
import { fieldsOf, isFields, type JsonFields, parseJson } from './json-fields.ts'

/** Reads one whole `chat.completion` object. */
export const createPlainAnswerReader: CreateAnswerReader = (answer, failures) => {
  const pieces: Uint8Array[] = []
  let fault: AppError | null = null
  return {
    push: (bytes) => {
      pieces.push(bytes)
    },
    finish: () => {
      const text = Buffer.concat(pieces).toString('utf8')
      // no body at all says as little as one without a message
      const body = text.trim() === '' ? {} : parseJson(text)
      fault = faultOf(body, failures)
      if (fault === null && isFields(body)) takeBody(body, answer)
    },
    done: false,
    get fault() {
      return fault
    },
  }
}

function faultOf(body: unknown, failures: FailureContext): AppError | null {
  const { endpoint } = failures
  if (!isFields(body)) {
    return callFailure('llm_error', 'The model server sent no JSON object.', { retryable: true, endpoint })
  }
  if ((body['error'] ?? null) !== null || body['object'] === 'error') return failureInStream(body, failures)
  if (isFields(choiceOf(body)['message'])) return null
  return callFailure('empty_output', 'The model server sent an answer without a message.', {
    retryable: true,
    endpoint,
  })
}

function choiceOf(body: JsonFields): JsonFields {
  const { choices } = body
  if (!Array.isArray(choices)) return {}
  const all = choices.map((choice: unknown) => fieldsOf(choice))
  return all.find((choice) => (choice['index'] ?? 0) === 0) ?? {}
}

function takeBody(body: JsonFields, answer: Answer): void {
  const choice = choiceOf(body)
  const message = fieldsOf(choice['message'])
  answer.noteModel(body['model'])
  answer.noteUsage(body['usage'])
  answer.addReasoning(message['reasoning_content'] ?? message['reasoning'])
  answer.addText(message['content'])
  answer.addRefusal(message['refusal'])
  answer.noteFinish(choice['finish_reason'])
}
