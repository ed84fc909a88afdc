import { statSync } from 'node:fs'
import { BlockList, isIP } from 'node:net'
import { resolve } from 'node:path'
import { BUILT_IN_ROLES } from './agent-settings.ts'
import { checkApiKeys, checkAuth } from './api-key-checks.ts'
import { findEntry, type CheckedSettings } from './checked-settings.ts'
import type { Fault } from './config-error.ts'
import { checkEndpoints } from './endpoint-checks.ts'
import { didYouMean, nearest } from './nearest.ts'
import { dotted, faultOf } from './reading.ts'

/** Applies the rules that the schema cannot say. */
export function crossCheck(checked: CheckedSettings): readonly Fault[] {
  return [checkDelays, checkApiKeys, checkAuth, checkHost, checkRoles, checkFiles, checkEndpoints].flatMap((check) =>
    check(checked),
  )
}

function checkDelays(checked: CheckedSettings): readonly Fault[] {
  const { file, invalid } = checked
  const initial = 'llm_retry_initial_delay'
  const longest = 'llm_retry_max_delay'
  if (invalid.has(initial) || invalid.has(longest) || file[longest] >= file[initial]) return []
  return faultAtStrongest(checked, {
    [longest]: `must be at least ${initial} (${file[initial]})`,
    [initial]: `must be at most ${longest} (${file[longest]})`,
  })
}

function checkHost(checked: CheckedSettings): readonly Fault[] {
  const { file, invalid } = checked
  if (['host', 'auth', 'api_keys'].some((path) => invalid.has(path))) return []
  if (file.auth === 'none' || file.api_keys.length > 0 || isLoopback(file.host)) return []
  const way =
    'set API_KEYS (npm run key -- NAME makes one), or AUTH=none to let everybody who can connect use the service, or HOST=127.0.0.1'
  return faultAtStrongest(checked, {
    host: `is an address that other machines can reach, and no API keys protect it: ${way}`,
    auth: `asks for API keys, there are none, and other machines can reach host (${file.host}): ${way}`,
  })
}

function checkRoles({ entries }: CheckedSettings): readonly Fault[] {
  const given = entries.filter(({ path }) => path[0] === 'agents')
  const roles = new Set(given.map(({ path }) => path[1] ?? ''))
  const incomplete = [...roles].filter(
    (role) => !BUILT_IN_ROLES.includes(role) && !findEntry(given, dotted(['agents', role, 'prompt_file']))?.value,
  )
  return incomplete.flatMap((role) => {
    const entry = given.find(({ path }) => path[1] === role)
    const hint = didYouMean(nearest(role, BUILT_IN_ROLES)) || '.'
    const detail = `agents.${role} is not built in${hint} A role of your own needs prompt_file`
    return entry === undefined ? [] : [{ place: entry.place, detail }]
  })
}

function checkFiles({ entries, invalid, directory }: CheckedSettings): readonly Fault[] {
  const named = entries.filter(({ path }) => path.at(-1) === 'prompt_file' || path[0] === 'workflow_types_files')
  return named
    .filter(({ path }) => !invalid.has(dotted(path)))
    .flatMap((entry) =>
      [entry.value]
        .flat()
        .map(String)
        .filter((name) => name !== '' && !isFile(resolve(directory, name)))
        .map((name) => faultOf(entry, `names ${name}, which is not a file`)),
    )
}

function isLoopback(host: string): boolean {
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8, 'ipv4')
  loopback.addAddress('::1', 'ipv6')
  const family = isIP(host)
  if (family === 0) return host.toLowerCase() === 'localhost'
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

/** One fault for settings that do not fit together: the strongest was set to change something. Of equals, the first. */
function faultAtStrongest(
  { entries, strengthOf }: CheckedSettings,
  details: Readonly<Record<string, string>>,
): readonly Fault[] {
  const given = Object.entries(details).flatMap(([path, detail]) => {
    const entry = findEntry(entries, path)
    return entry === undefined ? [] : [{ entry, detail }]
  })
  const [blamed] = given.toSorted((a, b) => strengthOf(b.entry) - strengthOf(a.entry))
  return blamed === undefined ? [] : [faultOf(blamed.entry, blamed.detail)]
}
