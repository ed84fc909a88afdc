import { isIP } from 'node:net'
import { Ajv } from 'ajv'
import envSchema from 'env-schema'
import { isWebhookSecret } from '../workflows/webhook-secret.ts'
import { demandOf } from './describe.ts'
import type { Fault } from './config-error.ts'
import { treeOf } from './entry-tree.ts'
import { dotted, faultOf, type Entry } from './reading.ts'
import { isSentryPlaceholder } from './sentry-placeholder.ts'
import { settingAt } from './setting-path.ts'
import { ANNOTATIONS, LONGEST_SECONDS, type SettingFormat } from './setting.ts'
import { SettingsFile } from './settings.ts'

/** Settings with every default filled in. */
interface Validated {
  readonly file: SettingsFile
  /** The entries that had to be left out, with why; without faults where the reading has named them all. */
  readonly invalid: readonly { readonly entry: Entry; readonly faults: readonly Fault[] }[]
}

interface SchemaError {
  readonly instancePath: string
  readonly params: Readonly<Record<string, unknown>>
}

/** Holds entries, one for each path, to the schema. Reports every entry that breaks it, and every part of one, once. */
type Validator = (entries: readonly Entry[]) => Validated

/** Makes a validator. It compiles the schema when it is first used, and keeps it. */
export function createValidator(): Validator {
  let ajv: Ajv | undefined
  return function validate(entries): Validated {
    const outcome = check(entries, (ajv ??= createAjv()))
    if ('file' in outcome) return { file: outcome.file, invalid: [] }
    const invalid = new Map<Entry, readonly Fault[]>()
    for (const error of outcome.errors) {
      const entry = entryAt(entries, error)
      if (entry === undefined) throw new Error(`no source gave ${error.instancePath}, which is not valid`)
      invalid.set(entry, withFault(invalid.get(entry) ?? [], faultIn(entry, error)))
    }
    const rest = validate(entries.filter((entry) => !invalid.has(entry)))
    return { file: rest.file, invalid: [...invalid].map(([entry, faults]) => ({ entry, faults })).concat(rest.invalid) }
  }
}

function check(entries: readonly Entry[], ajv: Ajv): { file: SettingsFile } | { errors: readonly SchemaError[] } {
  try {
    return { file: envSchema<SettingsFile>({ schema: SettingsFile, data: treeOf(entries), env: false, ajv }) }
  } catch (error) {
    if (error instanceof Error && 'errors' in error) return { errors: error.errors as readonly SchemaError[] }
    throw error
  }
}

/** What Sentry's own client takes, and it prints a DSN that it refuses. The project is a number. */
const SENTRY_DSN = /^https?:\/\/\w+(?::\w*)?@(?:\[[:.\w]+\]|[\w.-]+)(?::\d+)?\/(?:[^\s?#]*\/)?\d+$/

const FORMATS: Readonly<
  Record<SettingFormat | 'proxy-address' | 'origin' | 'host-and-port', (text: string) => boolean>
> = {
  path: (text) => !text.includes('\0'),
  'http-url': isHttpUrl,
  'sentry-dsn-or-empty': (text) =>
    text === '' || isSentryPlaceholder(text) || (SENTRY_DSN.test(text) && URL.canParse(text)),
  'postgres-url-or-empty': (text) => text === '' || (/^postgres(ql)?:\/\//i.test(text) && URL.canParse(text)),
  host: isHost,
  'host-and-port': isHostAndPort,
  'proxy-address': isProxyAddress,
  origin: isOriginOrAny,
  'webhook-secret-or-empty': (text) => text === '' || isWebhookSecret(text),
  'endpoint-name': (text) => /^[a-z0-9][a-z0-9._-]{0,62}$/.test(text),
}

/** As env-schema's own, and kept, with our formats. It is used a few times only, so
 * neither is its schema held to the schema of schemas, nor its code optimised: both take longer than compiling. */
function createAjv(): Ajv {
  const ajv = new Ajv({
    allErrors: true,
    removeAdditional: true,
    useDefaults: true,
    coerceTypes: true,
    allowUnionTypes: true,
    addUsedSchema: false,
    validateSchema: false,
    code: { optimize: false },
  })
  ajv.addVocabulary(ANNOTATIONS)
  for (const [name, matches] of Object.entries(FORMATS)) ajv.addFormat(name, matches)
  return ajv
}

function isHost(text: string): boolean {
  const name = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i
  return isIP(text) !== 0 || name.test(text)
}

/** A host as it stands, or as a URL has it, with or without a port. */
function isHostAndPort(text: string): boolean {
  const [, inBrackets, other = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(text) ?? []
  return isIP(text) !== 0 || (inBrackets === undefined ? isHost(other) : isIP(inBrackets) === 6)
}

function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text)
}

/** As browsers write it (HTML, "ASCII serialisation of an origin"), because it is compared as text. */
function isOriginOrAny(text: string): boolean {
  return text === '*' || (isHttpUrl(text) && !text.includes('*') && new URL(text).origin === text)
}

/** What Fastify's `trustProxy` understands: an address, a network, or one of its names for networks. */
function isProxyAddress(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true
  const [address = '', prefix = '0', ...rest] = text.split('/')
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= longest
}

/** The entry that holds what is not valid, the nearest one. */
function entryAt(entries: readonly Entry[], { instancePath }: SchemaError): Entry | undefined {
  const names = instancePath.split('/').slice(1).map(unescapePointer)
  const above = entries.filter(({ path }) => path.every((name, index) => name === names[index]))
  return above.toSorted((a, b) => b.path.length - a.path.length)[0]
}

function unescapePointer(name: string): string {
  return name.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** What is wrong with an entry, or with a part of it; undefined where the reading has said it. */
function faultIn(entry: Entry, error: SchemaError): Fault | undefined {
  const part = entryAt(entry.parts?.entries ?? [], error) ?? entry
  const missing = error.params['missingProperty']
  if (typeof missing !== 'string') return faultOf(part, detailOf(part, error))
  const rejected = new Set(entry.parts?.rejected)
  const isSaid = rejected.has(dotted(part.path)) || rejected.has(dotted([...part.path, missing]))
  return isSaid ? undefined : faultOf(part, `needs ${missing}`)
}

function withFault(faults: readonly Fault[], fault: Fault | undefined): readonly Fault[] {
  const isKnown = faults.some(({ place, detail }) => place === fault?.place && detail === fault.detail)
  return fault === undefined || isKnown ? faults : [...faults, fault]
}

function detailOf({ path }: Entry, error: SchemaError): string {
  if (error.params['limit'] === LONGEST_SECONDS) return `must be at most ${LONGEST_SECONDS}`
  return demandOf(settingAt(path) ?? {})
}
