import type { FastifyRequest } from 'fastify'
import type { InputFault } from '../errors.ts'
import { AppError } from '../errors.ts'
import type { SourceFile, StartWorkflow, WebhookRequest } from '../workflows/requests.ts'
import type { WorkflowService } from '../workflows/service.ts'
import { isWebhookSecret } from '../workflows/webhook-secret.ts'
import type { CheckPath } from './app-parts.ts'
import { serviceFor } from './principal-of.ts'
import type { ServiceParts } from './principal-of.ts'
import { faultsOfSchema } from './validation.ts'
import { pointerToken } from './well-formed.ts'

/** What the schema of a body cannot say. */
export interface StartChecks {
  /** The files with their paths normalised. Throws `invalid-request` for paths that may not be, or come twice. */
  files(files: readonly SourceFile[]): SourceFile[]
  /** Throws `invalid-request` for `steps` without `custom` and the reverse, and for a context that the template refuses or
   * that leaves a text empty which it requires. */
  workflow(body: StartWorkflow, request: FastifyRequest): void
  /** Throws `invalid-request` for a URL or a secret that cannot be one; neither is repeated. */
  webhook(webhook: WebhookRequest | undefined): void
}

/** What a template says of the context. */
interface TemplateInput {
  readonly schema: Readonly<Record<string, unknown>>
  readonly validate: ReturnType<FastifyRequest['compileValidationSchema']>
}

type Context = Readonly<Record<string, unknown>>

function refuse(faults: readonly InputFault[]): void {
  const [first] = faults
  if (first) throw new AppError('invalid-request', `Body ${first.pointer} ${first.detail}.`, { faults })
}

function faultsOfSteps({ type, steps }: StartWorkflow): InputFault[] {
  if (type === 'custom' && steps === undefined) return [{ pointer: '/steps', detail: 'is missing: custom needs steps' }]
  if (type !== 'custom' && steps !== undefined) {
    return [{ pointer: '/steps', detail: 'is only possible with the type custom' }]
  }
  return []
}

function inputSchemaOf(service: Pick<WorkflowService, 'workflowType'>, type: string): Record<string, unknown> | null {
  try {
    return service.workflowType(type).input
  } catch (error) {
    // An unknown type is not malformed: the service refuses it with what it knows instead.
    if (error instanceof AppError && error.code === 'not-found') return null
    throw error
  }
}

function checkFiles(files: readonly SourceFile[], checkPath: CheckPath): SourceFile[] {
  const faults: InputFault[] = []
  const seen = new Set<string>()
  const checked = files.map((file, index) => {
    const result = checkPath(file.path)
    const path = 'path' in result ? result.path : file.path
    if ('reason' in result) faults.push({ pointer: `/files/${index}/path`, detail: `is refused: ${result.reason}` })
    else if (seen.has(path)) faults.push({ pointer: `/files/${index}/path`, detail: 'is given twice' })
    seen.add(path)
    return { ...file, path }
  })
  refuse(faults)
  return checked
}

function schemaFaults({ validate }: TemplateInput, context: Context): InputFault[] {
  if (validate(context)) return []
  const errors = (validate.errors ?? []) as unknown as Parameters<typeof faultsOfSchema>[0]
  return faultsOfSchema(errors, 'body').map(({ pointer, detail }) => ({ pointer: `/context${pointer}`, detail }))
}

/** A text that a template asks for has to say something, whatever else its schema allows. */
function blankTexts({ schema }: TemplateInput, context: Context): InputFault[] {
  const { required } = schema
  if (!Array.isArray(required)) return []
  return required.flatMap((name: unknown) => {
    const value = context[String(name)]
    const isBlank = typeof value === 'string' && value.trim() === ''
    return isBlank ? [{ pointer: `/context/${pointerToken(String(name))}`, detail: 'must not be empty' }] : []
  })
}

function urlFault(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return 'must be an https or http URL'
  return url.username === '' && url.password === '' ? null : 'must not hold credentials'
}

function webhookFaults({ url, secret }: WebhookRequest): InputFault[] {
  const detail = urlFault(url)
  const faults = detail === null ? [] : [{ pointer: '/webhook/url', detail }]
  if (secret === undefined || isWebhookSecret(secret)) return faults
  return [...faults, { pointer: '/webhook/secret', detail: 'must be whsec_ and 24 to 64 bytes in base64' }]
}

/** Templates do not change while the process runs, so each one's schema is compiled once. */
export function createStartChecks(parts: ServiceParts & { readonly checkPath: CheckPath }): StartChecks {
  const inputs = new Map<string, TemplateInput>()

  const inputOf = (type: string, request: FastifyRequest): TemplateInput | null => {
    const known = inputs.get(type)
    if (known) return known
    const schema = inputSchemaOf(serviceFor(parts, request), type)
    if (schema === null) return null
    const input = { schema, validate: request.compileValidationSchema(schema) }
    inputs.set(type, input)
    return input
  }

  return {
    webhook: (webhook) => refuse(webhook === undefined ? [] : webhookFaults(webhook)),
    files: (files) => checkFiles(files, parts.checkPath),
    workflow(body, request) {
      refuse(faultsOfSteps(body))
      const input = inputOf(body.type, request)
      if (input === null) return
      refuse(schemaFaults(input, body.context ?? {}))
      refuse(blankTexts(input, body.context ?? {}))
    },
  }
}
