import type { FastifyRequest } from 'fastify'
import type { InputFault } from '../errors.ts'
import { AppError } from '../errors.ts'
import type { SourceFile, StartWorkflow } from '../workflows/requests.ts'
import type { WorkflowService } from '../workflows/service.ts'
import type { CheckPath } from './app-parts.ts'
import { faultsOfSchema } from './validation.ts'

/** What the schema of a body cannot say. */
export interface StartChecks {
  /** The files with their paths normalised. Throws `invalid-request` for paths that may not be, or come twice. */
  files(files: readonly SourceFile[]): SourceFile[]
  /** Throws `invalid-request` for `steps` without `custom` and the reverse, and for a context that the template refuses. */
  workflow(body: StartWorkflow, request: FastifyRequest): void
}

type ContextValidator = ReturnType<FastifyRequest['compileValidationSchema']>

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

function inputSchemaOf(service: WorkflowService, type: string): Record<string, unknown> | null {
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

/** Templates do not change while the process runs, so each one's schema is compiled once. */
export function createStartChecks(parts: {
  readonly service: WorkflowService
  readonly checkPath: CheckPath
}): StartChecks {
  const validators = new Map<string, ContextValidator>()

  const validatorOf = (type: string, request: FastifyRequest): ContextValidator | null => {
    const known = validators.get(type)
    if (known) return known
    const schema = inputSchemaOf(parts.service, type)
    if (schema === null) return null
    const validator = request.compileValidationSchema(schema)
    validators.set(type, validator)
    return validator
  }

  return {
    files: (files) => checkFiles(files, parts.checkPath),
    workflow(body, request) {
      refuse(faultsOfSteps(body))
      const validate = validatorOf(body.type, request)
      if (validate === null || validate(body.context ?? {})) return
      const errors = (validate.errors ?? []) as unknown as Parameters<typeof faultsOfSchema>[0]
      refuse(faultsOfSchema(errors, 'body').map(({ pointer, detail }) => ({ pointer: `/context${pointer}`, detail })))
    },
  }
}
