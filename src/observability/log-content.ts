import type { ChatMessage, Model, ModelEvent, ModelRequest } from '../llm/model.ts'
import type { Log, Logger } from './log.ts'

/** The same model; every prompt and every answer is logged (`log_content`), whatever comes of the call. */
export function logContent(model: Model, log: Log): Model {
  const logger = log.logger('llm.content')
  return {
    targets: (wanted, signal) => model.targets(wanted, signal),
    admit: (candidates) => model.admit(candidates),
    whenReady: (candidates, signal) => model.whenReady(candidates, signal),
    readyInMs: (candidates) => model.readyInMs(candidates),
    refusal: (candidates) => model.refusal(candidates),
    stream: (request, signal) => logged(model.stream(request, signal), request, logger),
  }
}

async function* logged(
  events: AsyncIterable<ModelEvent>,
  { target, messages }: ModelRequest,
  logger: Logger,
): AsyncGenerator<ModelEvent> {
  const { endpoint, model } = target
  logger.info('Prompt', {
    endpoint,
    model,
    messages: messages.map(({ role, content }: ChatMessage) => ({ role, content })),
  })
  let answer = ''
  let finishReason: string | null = null
  try {
    for await (const event of events) {
      if (event.type === 'text') answer += event.text
      if (event.type === 'end') ({ finishReason } = event)
      yield event
    }
  } finally {
    logger.info('Answer', { endpoint, model, finishReason, answer })
  }
}
