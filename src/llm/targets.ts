import type { Clock } from './clock.ts'
import type { Target } from './model.ts'
import type { ModelServer } from './model-server.ts'
import { pause } from './pause.ts'

/** What the operator decided about the model. */
export interface TargetOptions {
  readonly defaultModel: string | null
  /** Tokens; wins over what the server tells. */
  readonly contextWindow: number | null
}

const patienceMs = 2_000

/** See `Model.targets`. Servers that refused us lately come last: they are tried when nobody else answers. */
export async function findTargets(
  wanted: string | null,
  options: TargetOptions,
  parts: { readonly servers: readonly ModelServer[]; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<readonly Target[]> {
  const untold = parts.servers.filter((server) => server.survey() === null && isWorthAsking(server, wanted, options))
  if (untold.length > 0) await allWithin(patienceMs, untold, parts)
  const ordered = parts.servers.toSorted((a, b) => Number(a.isAvoided()) - Number(b.isAvoided()) || a.order - b.order)
  const known = modelsOf(ordered, wanted, options)
  return known.map(({ server, model }) => ({
    endpoint: server.name,
    model,
    contextWindow: server.window(model, options.contextWindow),
    tokenRatio: server.tokenRatios.of(model),
  }))
}

function isWorthAsking(server: ModelServer, wanted: string | null, { defaultModel, contextWindow }: TargetOptions) {
  const needsName = (wanted ?? defaultModel) === null && server.models().length === 0
  return needsName || contextWindow === null
}

/** Models that are asked where nobody names one; without those of servers that have not told what they serve. */
export function defaultModels(servers: readonly ModelServer[], options: TargetOptions): readonly string[] {
  const known = servers.filter((server) => options.defaultModel !== null || server.models().length > 0)
  return [...new Set(modelsOf(known, null, options).map(({ model }) => model))]
}

interface Choice {
  readonly server: ModelServer
  readonly model: string
}

function modelsOf(servers: readonly ModelServer[], wanted: string | null, options: TargetOptions): readonly Choice[] {
  const named = wanted ?? options.defaultModel
  if (named === null) return servers.map((server) => ({ server, model: server.models()[0] ?? 'default' }))
  const nobodyListsIt = !servers.some((server) => server.models().includes(named))
  const mayServe = (server: ModelServer): boolean => {
    const models = server.models()
    // some servers take names that they do not list
    return models.includes(named) || models.length === 0 || (nobodyListsIt && !server.isClosedList)
  }
  const serving = servers.filter(mayServe).map((server) => ({ server, model: named }))
  if (wanted === null) {
    return servers.map((server) => ({ server, model: mayServe(server) ? named : (server.models()[0] ?? named) }))
  }
  return serving.length > 0 ? serving : servers.map((server) => ({ server, model: named }))
}

async function allWithin(
  waitMs: number,
  servers: readonly ModelServer[],
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const told = new AbortController()
  const either = AbortSignal.any([signal, told.signal])
  const patience = pause(waitMs, { clock, signal: either }).catch(() => {})
  await Promise.race([patience, Promise.all(servers.map((server) => server.check()))])
  told.abort()
}
