import type { FastifyRequest } from 'fastify'
import { closest, distance } from 'fastest-levenshtein'
import type { InputFault } from '../errors.ts'
import { AppError } from '../errors.ts'
import { faultOfText, pointerToken } from './well-formed.ts'

/** What is used of an error of Ajv in verbose mode. */
interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message?: string
  readonly data?: unknown
  readonly parentSchema?: { readonly properties?: Readonly<Record<string, unknown>> }
}

/** Bodies are taken as they are: nothing is dropped, coerced or filled in; every fault is named. */
export const ajvOptions = {
  removeAdditional: false,
  coerceTypes: false,
  useDefaults: true,
  allErrors: true,
  verbose: true,
} as const

const maxFaults = 20
const longestGuess = 100

function nearest(name: string, known: readonly string[]): string {
  if (known.length === 0) return ''
  const found = closest(name, known)
  return distance(name, found) <= Math.max(2, Math.floor(name.length / 3)) ? `; did you mean "${found}"?` : ''
}

function faultOfUnknown(error: SchemaError): InputFault {
  const name = String(error.params['additionalProperty'])
  const known = Object.keys(error.parentSchema?.properties ?? {})
  return { pointer: `${error.instancePath}/${pointerToken(name)}`, detail: `is not known here${nearest(name, known)}` }
}

function faultOfLength(error: SchemaError): InputFault {
  const empty = error.params['limit'] === 1
  return { pointer: error.instancePath, detail: empty ? 'must not be empty' : (error.message ?? 'is too short') }
}

function faultOfPattern({ instancePath, params, message }: SchemaError): InputFault {
  const blank = params['pattern'] === '\\S'
  return { pointer: instancePath, detail: blank ? 'must not be empty' : (message ?? 'is not valid') }
}

function faultOfChoice({ instancePath, params, data }: SchemaError): InputFault {
  const allowed = params['allowedValues']
  const words = Array.isArray(allowed) ? allowed.filter((value) => typeof value === 'string') : []
  const hint = typeof data === 'string' ? nearest(data.slice(0, longestGuess), words) : ''
  return { pointer: instancePath, detail: `must be one of ${JSON.stringify(allowed)}${hint}` }
}

function faultOf(error: SchemaError): InputFault {
  switch (error.keyword) {
    case 'additionalProperties':
      return faultOfUnknown(error)
    case 'required':
      return {
        pointer: `${error.instancePath}/${pointerToken(String(error.params['missingProperty']))}`,
        detail: 'is missing',
      }
    case 'minLength':
    case 'minItems':
      return faultOfLength(error)
    case 'pattern':
      return faultOfPattern(error)
    case 'enum':
      return faultOfChoice(error)
    case 'propertyNames':
      return {
        pointer: error.instancePath,
        detail: `has a bad name: ${String(error.params['propertyName']).slice(0, 80)}`,
      }
    default:
      return { pointer: error.instancePath, detail: error.message ?? 'is not valid' }
  }
}

/** An empty text may break two rules that say the same. */
function distinct(faults: readonly InputFault[]): InputFault[] {
  return [...new Map(faults.map((fault) => [`${fault.pointer} ${fault.detail}`, fault])).values()]
}

/** Faults of a failed validation. In a body they are JSON pointers, elsewhere the name of the parameter. */
export function faultsOfSchema(errors: readonly SchemaError[], part: string): readonly InputFault[] {
  const faults = distinct(errors.map(faultOf)).slice(0, maxFaults)
  if (part === 'body') return faults
  return faults.map(({ pointer, detail }) => ({ pointer: pointer.split('/')[1] ?? '', detail }))
}

/** The error that Fastify throws for what a route's schema refuses. */
export function invalidRequest(errors: readonly SchemaError[], part: string): AppError {
  const faults = faultsOfSchema(errors, part)
  const first = faults[0]
  const what = first ? `${part} ${first.pointer} ${first.detail}`.replace(/\s+/g, ' ') : `the ${part} is not valid`
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''
  return new AppError('invalid-request', `${what.charAt(0).toUpperCase()}${what.slice(1)}${more}.`, { faults })
}

function faultsOfTexts(values: unknown): InputFault[] {
  return Object.entries((values ?? {}) as Record<string, unknown>).flatMap(([name, value]) =>
    [value].flat().flatMap((text) => {
      const detail = faultOfText(name) ?? (typeof text === 'string' ? faultOfText(text) : null)
      return detail === null ? [] : [{ pointer: name.toWellFormed().replaceAll('\0', '\uFFFD'), detail }]
    }),
  )
}

/** Whether the parameters of a path hold what no name can hold. */
export function hasBadParams(request: FastifyRequest): boolean {
  return faultsOfTexts(request.params).length > 0
}

/** Refuses what must not be in a path or a query string; throws `invalid-request`. */
export function refuseBadText(request: FastifyRequest): void {
  const faults = [...faultsOfTexts(request.params), ...faultsOfTexts(request.query)]
  if (faults.length > 0) throw new AppError('invalid-request', 'The URL holds what is not allowed.', { faults })
}
