import type { Clock } from './clock.ts'
import type { Target } from './model.ts'
import type { ModelServer } from './model-server.ts'

/** What the operator decided about the model. */
export interface TargetOptions {
  readonly defaultModel: string | null
  /** Tokens; wins over what the server tells. */
  readonly contextWindow: number | null
}

const patienceMs = 2_000

/**
 * The target on `server` for a wanted model: else the default, else the first that the server lists, else `default`.
 * Waits at most 2 s for a server that has not told yet; never rejects.
 */
export async function findTarget(
  wanted: string | null,
  options: TargetOptions,
  parts: { readonly server: ModelServer; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Target> {
  const { server } = parts
  const named = wanted ?? options.defaultModel
  const firstListed = (): string | undefined => server.survey()?.models[0]
  const needsWindow = options.contextWindow === null && server.survey() === null
  const needsName = named === null && firstListed() === undefined
  if (needsName || needsWindow) await settledWithin(patienceMs, server.check(), parts)
  const model = named ?? firstListed() ?? 'default'
  return { endpoint: server.name, model, contextWindow: server.window(model, options.contextWindow) }
}

function settledWithin(
  waitMs: number,
  work: Promise<void>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      cancel()
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const cancel = clock.after(waitMs, finish)
    signal.addEventListener('abort', finish, { once: true })
    work.then(finish, finish)
    if (signal.aborted) finish()
  })
}
