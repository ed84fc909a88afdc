import { isIP } from 'node:net'
import envSchema, { type EnvSchemaOpt } from 'env-schema'
import { demandOf } from './describe.ts'
import type { Fault } from './config-error.ts'
import { faultOf, type Entry } from './reading.ts'
import { isSentryPlaceholder } from './sentry-placeholder.ts'
import { settingAt } from './setting-path.ts'
import { ANNOTATIONS, LONGEST_SECONDS, type SettingFormat } from './setting.ts'
import { SettingsFile } from './settings.ts'

/** Settings with every default filled in; `invalid` are the entries that had to be left out, with why. */
interface Validated {
  readonly file: SettingsFile
  readonly invalid: readonly { readonly entry: Entry; readonly fault: Fault }[]
}

interface SchemaError {
  readonly instancePath: string
  readonly params: Readonly<Record<string, unknown>>
}

/** Holds entries, one for each path, to the schema. Reports every entry that breaks it, each once. */
type Validator = (entries: readonly Entry[]) => Validated

/** Makes a validator. It compiles the schema when it is first used, and keeps it. */
export function createValidator(): Validator {
  const ajv = createAjvOption()
  return function validate(entries): Validated {
    const outcome = check(entries, ajv)
    if ('file' in outcome) return { file: outcome.file, invalid: [] }
    const invalid = new Map<Entry, Fault>()
    for (const error of outcome.errors) {
      const entry = entryAt(entries, error.instancePath)
      if (entry === undefined) throw new Error(`no source gave ${error.instancePath}, which is not valid`)
      if (!invalid.has(entry)) invalid.set(entry, faultOf(entry, detailOf(entry, error)))
    }
    const rest = validate(entries.filter((entry) => !invalid.has(entry)))
    return { file: rest.file, invalid: [...invalid].map(([entry, fault]) => ({ entry, fault })).concat(rest.invalid) }
  }
}

type AjvOption = Extract<EnvSchemaOpt['ajv'], { customOptions: unknown }>
type Ajv = ReturnType<AjvOption['customOptions']>

function check(entries: readonly Entry[], ajv: AjvOption): { file: SettingsFile } | { errors: readonly SchemaError[] } {
  try {
    return { file: envSchema<SettingsFile>({ schema: SettingsFile, data: treeOf(entries), env: false, ajv }) }
  } catch (error) {
    if (error instanceof Error && 'errors' in error) return { errors: error.errors as readonly SchemaError[] }
    throw error
  }
}

/** What Sentry's own client takes, and it prints a DSN that it refuses. The project is a number. */
const SENTRY_DSN = /^https?:\/\/\w+(?::\w*)?@(?:\[[:.\w]+\]|[\w.-]+)(?::\d+)?\/(?:[^\s?#]*\/)?\d+$/

const FORMATS: Readonly<Record<SettingFormat | 'proxy-address', (text: string) => boolean>> = {
  path: (text) => !text.includes('\0'),
  'http-url': isHttpUrl,
  'sentry-dsn-or-empty': (text) =>
    text === '' || isSentryPlaceholder(text) || (SENTRY_DSN.test(text) && URL.canParse(text)),
  'postgres-url-or-empty': (text) => text === '' || (/^postgres(ql)?:\/\//i.test(text) && URL.canParse(text)),
  host: (text) =>
    isIP(text) !== 0 || /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(text),
  'proxy-address': isProxyAddress,
}

/** env-schema's own instance of Ajv, taught our formats; asked again, the same one. */
function createAjvOption(): AjvOption {
  let taught: Ajv | undefined
  return {
    customOptions(ajv) {
      taught ??= teach(ajv)
      return taught
    },
  }
}

function teach(ajv: Ajv): Ajv {
  ajv.addVocabulary(ANNOTATIONS)
  for (const [name, matches] of Object.entries(FORMATS)) ajv.addFormat(name, matches)
  return ajv
}

function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text)
}

/** What Fastify's `trustProxy` understands: an address, a network, or one of its names for networks. */
function isProxyAddress(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true
  const [address = '', prefix = '0', ...rest] = text.split('/')
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= longest
}

function treeOf(entries: readonly Entry[]): Record<string, unknown> {
  const tree: Record<string, unknown> = {}
  for (const { path, value } of entries) {
    const last = path.at(-1) ?? ''
    const table = path.slice(0, -1).reduce(descend, tree)
    // a role stands as an empty table before its settings
    if (!Object.hasOwn(table, last)) table[last] = structuredClone(value)
  }
  return tree
}

function descend(table: Record<string, unknown>, name: string): Record<string, unknown> {
  if (!Object.hasOwn(table, name)) table[name] = {}
  return table[name] as Record<string, unknown>
}

function entryAt(entries: readonly Entry[], pointer: string): Entry | undefined {
  const names = pointer.split('/').slice(1)
  const above = entries.filter(({ path }) => path.every((name, index) => name === names[index]))
  return above.toSorted((a, b) => b.path.length - a.path.length)[0]
}

function detailOf(entry: Entry, error: SchemaError): string {
  if (error.params['limit'] === LONGEST_SECONDS) return `must be at most ${LONGEST_SECONDS}`
  const setting = settingAt(entry.path)
  return demandOf(setting ?? {})
}
