import { settingsFromFile } from './casing.ts'
import { ConfigError } from './config-error.ts'
import { crossCheck } from './cross-checks.ts'
import { readEnvironment } from './read-environment.ts'
import { dotted, type Entry, type Reading } from './reading.ts'
import { readSecretFiles } from './secret-files.ts'
import type { Settings } from './settings.ts'
import { readConfigFile, readDotenv } from './source-files.ts'
import { createValidator } from './validate.ts'
import { rolesAddedBy, variableNames, type Variables } from './variable-names.ts'
import { warningsOf } from './warnings.ts'

/** Where settings come from. */
export interface SettingSources {
  /** Arguments of the process, without the program; only `--config FILE` is looked at. */
  readonly argv: readonly string[]
  readonly env: Variables
  /** Directory of `.env` and `config.yaml`; relative paths start here. */
  readonly cwd: string
}

/** The settings, frozen, and what their author should know. */
export interface LoadedSettings {
  readonly settings: Settings
  readonly warnings: readonly string[]
  /** Variables of OpenTelemetry (`OTEL_*`), which are no settings of ours. */
  readonly otel: Variables
}

/**
 * Reads the settings: the environment wins over `.env`, that over the YAML file, that over the defaults. Throws a
 * `ConfigError` with every mistake of all of them at once. A `validate` of one's own saves compiling the schema again.
 */
export function loadSettings({ argv, env, cwd }: SettingSources, validate = createValidator()): LoadedSettings {
  const dotenv = readDotenv(cwd)
  const yaml = readConfigFile(argv, { ...dotenv.variables, ...filled(env) }, cwd)
  const names = namesFor(yaml, { ...dotenv.variables, ...filled(env) })
  const readings = [
    dotenv.reading,
    yaml,
    readEnvironment(dotenv.variables, names, '.env: '),
    readEnvironment(env, names, ''),
  ].map((reading) => readSecretFiles(reading, cwd))
  // each source by itself too, so that a mistake is named even where a stronger source hides it
  const invalid = readings.flatMap((reading) => (reading.entries.length === 0 ? [] : validate(reading.entries).invalid))
  const refused = new Set(invalid.map(({ entry }) => entry))
  const entries = strongest(readings)
  const { file } = validate(entries.filter((entry) => !refused.has(entry)))
  const paths = [...invalid.map(({ entry }) => dotted(entry.path)), ...readings.flatMap(({ rejected }) => rejected)]
  const faults = [
    ...readings.flatMap((reading) => reading.faults),
    ...invalid.flatMap((each) => each.faults),
    ...crossCheck({
      file,
      entries,
      invalid: new Set(paths),
      strengthOf: (entry) => readings.findIndex((reading) => reading.entries.includes(entry)),
      directory: cwd,
    }),
  ]
  if (faults.length > 0) throw new ConfigError(faults.toSorted(byPlace))
  const warnings = [...readings.flatMap((reading) => reading.warnings), ...warningsOf(file, entries)]
  const variables = Object.entries({ ...dotenv.variables, ...filled(env) })
  const otel = Object.fromEntries(variables.filter(([name]) => name.startsWith('OTEL_')))
  return { settings: settingsFromFile(file), warnings: [...new Set(warnings)], otel }
}

function filled(variables: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value?.trim()))
}

function namesFor(yaml: Reading, variables: Variables) {
  const inFile = yaml.entries.filter(({ path }) => path[0] === 'agents').map(({ path }) => path[1] ?? '')
  return variableNames([...inFile, ...rolesAddedBy(variables, variableNames(inFile))])
}

/** One entry for each path: that of the last source which has it. */
function strongest(readings: readonly Reading[]): readonly Entry[] {
  const all = readings.flatMap((reading) => reading.entries)
  return [...new Map(all.map((entry) => [dotted(entry.path), entry])).values()]
}

function byPlace(a: { readonly place: string }, b: { readonly place: string }): number {
  return a.place.localeCompare(b.place, 'en', { numeric: true })
}
