import type { ServerError } from './error-body.ts'
import { textOf } from './json-fields.ts'
import type { ModelRequest } from './model.ts'

/** How a model wants to be asked. */
export interface RequestForm {
  /** OpenAI's reasoning models know only the newer name, Ollama only the older one. */
  readonly limitName: 'max_tokens' | 'max_completion_tokens'
  /** Reasoning models take only their own. */
  readonly takesTemperature: boolean
}

/** What every server but OpenAI's newest models understands. */
export const usualForm: RequestForm = { limitName: 'max_tokens', takesTemperature: true }

/** The body of a chat completion. */
export function requestBody(request: ModelRequest, { limitName, takesTemperature }: RequestForm) {
  const { target, messages, temperature, maxTokens, stream } = request
  const body = {
    model: target.model,
    messages: messages.map(({ role, content }) => ({ role, content })),
    ...(takesTemperature ? { temperature } : {}),
    [limitName]: maxTokens,
  }
  return stream ? { ...body, stream, stream_options: { include_usage: true } } : { ...body, stream }
}

/** The form that a server asks for when it refuses another one with 400; null when it refuses something else. */
export function otherForm(
  form: RequestForm,
  { status, error }: { readonly status: number; readonly error: ServerError },
): RequestForm | null {
  if (status !== 400) return null
  const { fields, message } = error
  const param = textOf(fields['param'])
  const isUnsupported = /unsupported/i.test(textOf(fields['code']) ?? '') || /not support/i.test(message)
  if (!isUnsupported) return null
  if (form.limitName === 'max_tokens' && param === 'max_tokens' && /max_completion_tokens/.test(message)) {
    return { ...form, limitName: 'max_completion_tokens' }
  }
  return form.takesTemperature && param === 'temperature' ? { ...form, takesTemperature: false } : null
}

/** How each model of one server wants to be asked, as it was found out. */
export interface RequestForms {
  of(model: string): RequestForm
  /** Whether this refusal asks for another form, which is then the model's. */
  learn(model: string, refusal: Parameters<typeof otherForm>[1]): boolean
}

const mostModels = 1_000

/** The usual form for every model. */
export function createRequestForms(): RequestForms {
  const found = new Map<string, RequestForm>()
  const formOf = (model: string): RequestForm => found.get(model) ?? usualForm
  return {
    of: formOf,
    learn: (model, refusal) => {
      const form = otherForm(formOf(model), refusal)
      if (form === null || (found.size >= mostModels && !found.has(model))) return false
      found.set(model, form)
      return true
    },
  }
}
