import { readFileSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import { parse } from 'yaml'
import { dagFaults } from './dag.ts'
import { gateFaults } from './plan-faults.ts'
import { CustomStep, StepOptions } from './requests.ts'
import { stepDefinition } from './plan.ts'
import { TemplateError } from './template-error.ts'
import { builtInTemplates } from './templates.ts'
import type { Template } from './templates.ts'

/** `Value` knows neither `Unsafe` schemas nor references, which a custom step's are made of for the wire. */
const TemplateStep = Type.Object(
  {
    ...CustomStep.properties,
    on_failure: Type.Optional(Type.Union([Type.Literal('stop'), Type.Literal('continue')])),
    context: Type.Optional(Type.Unsafe<Record<string, unknown>>(Type.Object({}))),
    options: Type.Optional(StepOptions),
  },
  { additionalProperties: false },
)

const TemplateFile = Type.Object(
  {
    type: Type.String({ pattern: '^[a-z][a-z0-9_-]{0,63}$' }),
    title: Type.String({ minLength: 1 }),
    description: Type.Optional(Type.String()),
    input: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    steps: Type.Array(TemplateStep, { minItems: 1, maxItems: 50 }),
  },
  { additionalProperties: false },
)

/** What is needed of a role to check that a step can be given to it. */
export interface KnownRole {
  readonly id: string
  readonly taskTypes: readonly { readonly name: string }[]
}

/** The built-in templates and those of the operator's YAML files, by type. Throws a `TemplateError`. */
export function loadTemplates(files: readonly string[], roles: readonly KnownRole[]): ReadonlyMap<string, Template> {
  const templates = new Map(builtInTemplates.map((template) => [template.type, template]))
  const faults = files.flatMap((file) => {
    try {
      const template = readTemplate(file, roles)
      if (templates.has(template.type) || template.type === 'custom') {
        return [{ place: file, detail: `there is a workflow type "${template.type}" already` }]
      }
      templates.set(template.type, template)
      return []
    } catch (error) {
      if (error instanceof TemplateError) return error.faults
      return [{ place: file, detail: error instanceof Error ? error.message : String(error) }]
    }
  })
  if (faults.length > 0) throw new TemplateError(faults)
  return templates
}

function readTemplate(file: string, roles: readonly KnownRole[]): Template {
  const content: unknown = parse(readFileSync(file, 'utf8'))
  if (!Value.Check(TemplateFile, content)) {
    const errors = [...Value.Errors(TemplateFile, content)]
    throw new TemplateError(errors.map(({ path, message }) => ({ place: `${file}${path}`, detail: message })))
  }
  const steps = content.steps.map(stepDefinition)
  const faults = [
    ...schemaFaults(content.input),
    ...dagFaults(steps),
    ...content.steps.flatMap((step, index) => roleFaults(step, index, roles)),
    ...gateFaults(steps, []),
  ]
  if (faults.length > 0) {
    throw new TemplateError(faults.map(({ pointer, detail }) => ({ place: `${file}${pointer}`, detail })))
  }
  const { type, title, description = '', input = { type: 'object' } } = content
  return { type, title, description, input, steps }
}

/** A schema that cannot be compiled would refuse every request of its type, as a defect of the service. */
function schemaFaults(input: Record<string, unknown> = {}) {
  try {
    const ajv = new Ajv({ allErrors: true, strictTypes: false })
    formats.default(ajv)
    ajv.compile(input)
    return []
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return [{ pointer: '/input', detail: `is no JSON Schema that can be used: ${reason}` }]
  }
}

function roleFaults(step: Static<typeof TemplateStep>, index: number, roles: readonly KnownRole[]) {
  const role = roles.find((known) => known.id === step.role)
  if (role === undefined) return [{ pointer: `/steps/${index}/role`, detail: `"${step.role}" is not a role` }]
  const taskType = step.task_type
  if (taskType === undefined || role.taskTypes.some((known) => known.name === taskType)) return []
  return [{ pointer: `/steps/${index}/task_type`, detail: `"${taskType}" is not a task type of ${step.role}` }]
}
