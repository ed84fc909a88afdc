import { Type } from '@sinclair/typebox'

/** Longest time in seconds that a Node timer can wait: 2^31 - 1 milliseconds. A longer one would fire at once. */
export const LONGEST_SECONDS = 2_147_483

/** What the rest of this folder reads of a setting's JSON Schema. */
export interface SettingSchema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly format?: string
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, SettingSchema>>
  readonly required?: readonly string[]
  /** Keys of the operator's own; `description` is the rule in words, as a sentence without its end. */
  readonly propertyNames?: { readonly pattern: string; readonly description?: string }
  readonly additionalProperties?: boolean | SettingSchema | undefined
  readonly items?: SettingSchema | undefined
  readonly uniqueItems?: boolean
  readonly maxItems?: number
  /** Values as `config.yaml` could have them, for the documents. */
  readonly examples?: readonly unknown[]
  /** Unit of a number, as the documents name it. */
  readonly unit?: string
  /** Names in the environment where they are not the YAML path in capitals. */
  readonly env?: readonly string[]
  /** Never printed; may also come from a file, by `NAME_FILE`. */
  readonly secret?: boolean
  /** Set but empty is a value of its own: off. */
  readonly emptyMeansOff?: boolean
  /** Other spellings of a value; with them the case of letters does not matter. */
  readonly aliases?: Readonly<Record<string, string>>
}

/** The annotations of `SettingSchema` that JSON Schema does not know. */
export const ANNOTATIONS = ['unit', 'env', 'secret', 'emptyMeansOff', 'aliases']

interface Described<T> {
  readonly default: T
  readonly description: string
}

/** A time above zero, in seconds, decimals allowed. */
export function seconds(setting: Described<number>) {
  return Type.Number({ ...setting, exclusiveMinimum: 0, maximum: LONGEST_SECONDS, unit: 'seconds' })
}

/** A time in seconds whose zero has a meaning of its own. */
export function secondsOrZero(setting: Described<number>) {
  return Type.Number({ ...setting, minimum: 0, maximum: LONGEST_SECONDS, unit: 'seconds' })
}

/** A number between two bounds. */
export function fraction(
  setting: Described<number> & { readonly minimum: number; readonly maximum: number; readonly unit?: string },
) {
  return Type.Number(setting)
}

/** A whole number. */
export function whole(
  setting: Described<number> & { readonly minimum: number; readonly maximum?: number; readonly unit?: string },
) {
  return Type.Integer(setting)
}

/** True or false. */
export function flag(setting: Described<boolean> & { readonly env?: readonly string[] }) {
  return Type.Boolean(setting)
}

/** Text, where the empty text is the absence of a value. */
export function text(
  setting: Described<string> & {
    readonly format?: SettingFormat
    readonly secret?: boolean
    readonly emptyMeansOff?: boolean
  },
) {
  return Type.String(setting)
}

/** One of a few words. */
export function oneOf<const T extends string>(
  values: readonly T[],
  setting: Described<T> & { readonly aliases?: Readonly<Record<string, T>> },
) {
  return Type.Unsafe<T>({ ...setting, type: 'string', enum: values })
}

/** A list of texts, comma-separated in the environment. */
export function list(setting: Described<readonly string[]>) {
  return Type.Array(Type.String({ minLength: 1 }), { ...setting })
}

/** Formats of text that `validate.ts` knows. */
export type SettingFormat =
  | 'path'
  | 'http-url'
  | 'sentry-dsn-or-empty'
  | 'postgres-url-or-empty'
  | 'host'
  | 'endpoint-name'
  | 'webhook-secret-or-empty'
