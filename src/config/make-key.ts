import { parseArgs } from 'node:util'
import { KEY_NAME, makeApiKey, parseScopes, SCOPES } from './api-key.ts'
import type { Scope } from './api-key.ts'

const badUsage = 64

const usage = `Usage: npm run key -- NAME [--scopes read+write]

  NAME        whose key it is: at most 63 letters, digits, ., _ and -
  --scopes    ${SCOPES.join(', ')}, joined by +; default write, which includes read
`

interface Wanted {
  readonly name: string
  readonly scopes: readonly Scope[]
}

function wantedBy(argv: readonly string[]): Wanted | null {
  try {
    const options = { scopes: { type: 'string', default: 'write' } } as const
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true })
    const [name = '', ...rest] = positionals
    const scopes = parseScopes(values.scopes)
    return rest.length > 0 || scopes === null || !KEY_NAME.test(name) ? null : { name, scopes }
  } catch {
    return null
  }
}

/** What the command prints for its arguments; null: they are not understood. The key is made anew each time. */
export function describeNewKey(argv: readonly string[]): string | null {
  const wanted = wantedBy(argv)
  if (wanted === null) return null
  const { key, entry } = makeApiKey(wanted.name, wanted.scopes)
  return `The key of ${wanted.name}. It is shown this once, and stored nowhere:

  ${key}

Add to API_KEYS (or to api_keys in config.yaml, or to the file that API_KEYS_FILE names):

  ${entry}

It is sent as: Authorization: Bearer ${key}
`
}

if (import.meta.main) {
  const text = describeNewKey(process.argv.slice(2))
  if (text === null) process.stderr.write(usage)
  else process.stdout.write(text)
  process.exitCode = text === null ? badUsage : 0
}
