import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs, parseEnv } from 'node:util'
import { openReading, type Reading } from './reading.ts'
import { readYaml } from './read-yaml.ts'
import { codeOf } from './secret-files.ts'
import type { Variables } from './variable-names.ts'

const DEFAULT_FILE = 'config.yaml'

/** Reads `.env` in `directory`; it may be missing. */
export function readDotenv(directory: string): { readonly variables: Variables; readonly reading: Reading } {
  const reading = openReading()
  const content = readOptional(resolve(directory, '.env'))
  if (typeof content === 'string') return { variables: parseDotenv(content), reading }
  if (content.code !== 'ENOENT') reading.faults.push({ place: '.env', detail: `cannot be read (${content.code})` })
  return { variables: {}, reading }
}

/** Reads the YAML file that `--config`, else `AGENT_CONFIG_PATH`, names, or `config.yaml`, which may be missing. */
export function readConfigFile(argv: readonly string[], variables: Variables, directory: string): Reading {
  const { config } = parseArgs({ args: [...argv], options: { config: { type: 'string' } }, strict: false }).values
  const byVariable = variables['AGENT_CONFIG_PATH']?.trim() ?? ''
  if (config !== undefined && (typeof config !== 'string' || config === '')) {
    return faulty('--config', 'needs the path of a YAML file')
  }
  if (config !== undefined) return readNamed(config, '--config', directory)
  if (byVariable !== '') return readNamed(byVariable, 'AGENT_CONFIG_PATH', directory)
  const content = readOptional(resolve(directory, DEFAULT_FILE))
  if (typeof content === 'string') return readYaml(content, DEFAULT_FILE)
  return content.code === 'ENOENT' ? openReading() : faulty(DEFAULT_FILE, `cannot be read (${content.code})`)
}

function readNamed(file: string, place: string, directory: string): Reading {
  const content = readOptional(resolve(directory, file))
  if (typeof content === 'string') return readYaml(content, file)
  return faulty(place, `${file} cannot be read (${content.code})`)
}

function faulty(place: string, detail: string): Reading {
  return { ...openReading(), faults: [{ place, detail }] }
}

function readOptional(file: string): string | { readonly code: string } {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    return { code: codeOf(error) }
  }
}

/** Node takes blanks after an empty value for a line that goes on, and gives the variable the next line as its value. */
function parseDotenv(content: string): Variables {
  return parseEnv(content.replace(/^([^\S\n]*(?:export[^\S\n]+)?[\w.-]+[^\S\n]*=)[^\S\n]+$/gm, '$1'))
}
