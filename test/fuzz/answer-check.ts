import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import type { Description, Operation } from './description.ts'

/** What was answered. */
export interface SeenAnswer {
  readonly status: number
  readonly mediaType: string
  readonly correlationId: unknown
  /** null: a stream, or nothing. */
  readonly text: string | null
}

/** Says what is wrong with an answer; null: nothing. */
export type CheckAnswer = (operation: Operation, answer: SeenAnswer) => string | null

// the type of its default export is not that of a function under this module resolution
const addFormats = addFormatsModule as unknown as (ajv: Ajv2020) => void

/** Refusals that any request may get before it comes to its route. */
const anywhere: ReadonlySet<number> = new Set([400, 404, 405, 414, 431])

/** Holds answers to the description: a status that is named there, and a body that fits its schema. */
export function createAnswerCheck({ schemas }: Description): CheckAnswer {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats(ajv)
  ajv.addSchema({ $id: 'description', components: { schemas } })
  const validators = new Map<string, ReturnType<typeof ajv.compile>>()

  const validatorOf = (operation: Operation, status: number, mediaType: string) => {
    const key = `${operation.method} ${operation.path} ${status} ${mediaType}`
    const known = validators.get(key)
    if (known !== undefined) return known
    const schema = operation.responses[String(status)]?.content?.[mediaType]?.schema
    if (schema === undefined) return null
    const local = JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"description#/components')) as object
    const validate = ajv.compile(local)
    validators.set(key, validate)
    return validate
  }

  return (operation, answer) => {
    const { status, mediaType, text } = answer
    if (status >= 500) return `status ${status}: ${text?.slice(0, 500)}`
    if (typeof answer.correlationId !== 'string') return 'no X-Correlation-Id'
    const isNamed = operation.responses[String(status)] !== undefined
    if (!isNamed && !anywhere.has(status)) return `status ${status} is not in the description`
    if (text === null || text === '' || !mediaType.endsWith('json')) return null
    const validate = validatorOf(operation, status, mediaType)
    if (validate === null) return isNamed ? `${mediaType} of ${status} is not in the description` : null
    return validate(JSON.parse(text)) ? null : `the body of ${status} does not fit: ${ajv.errorsText(validate.errors)}`
  }
}
