/** How a model server dies: nobody listens; what runs is cut and the rest gets 503; it accepts and never answers. */
export type OutageForm = 'refuse' | 'error' | 'hang'

/** A form with one model server, or all of them with a second server that stays. */
export type OutageName = OutageForm | 'failover'

/** One run of the service. */
export interface Scenario {
  readonly name: string
  /** null: nothing dies; a measure for the others. */
  readonly form: OutageForm | null
  /** A second model server stays healthy. */
  readonly hasSecond: boolean
}

export const outageNames: readonly OutageName[] = ['refuse', 'error', 'hang', 'failover']

/** The runs that show an outage, in order; what measures the others comes first. */
export function scenariosOf(name: OutageName): readonly Scenario[] {
  if (name !== 'failover') return [{ name: `one endpoint, ${name}`, form: name, hasSecond: false }]
  return [
    { name: 'two endpoints, no outage', form: null, hasSecond: true },
    { name: 'two endpoints, refuse', form: 'refuse', hasSecond: true },
    { name: 'two endpoints, error', form: 'error', hasSecond: true },
    { name: 'two endpoints, hang', form: 'hang', hasSecond: true },
  ]
}

/** Seconds that a call may be silent in a run that hangs. The defaults, 300 and 60, would only make it last minutes. */
const silenceSeconds = '3'

/**
 * What is set otherwise than by default, besides where the models are. The default of 5 agents would let 5 workflows run
 * and keep the others in the queue.
 */
export function deviations({ form }: Scenario, agents: number): Readonly<Record<string, string>> {
  return {
    ...(form === 'hang' ? { LLM_FIRST_TOKEN_TIMEOUT: silenceSeconds, LLM_IDLE_TIMEOUT: silenceSeconds } : {}),
    MAX_CONCURRENT_AGENTS: String(agents),
  }
}

/** Where the models are; the second is only for when the first fails. */
export function modelSettings(urls: readonly string[]): Readonly<Record<string, string>> {
  const common = { OPENAI_API_MODEL: 'chaos' }
  const [only = ''] = urls
  if (urls.length === 1) return { ...common, OPENAI_API_BASE: only }
  const endpoints = urls.map((url, index) => ({
    name: index === 0 ? 'first' : 'second',
    base_url: url,
    api_key: '',
    models: ['chaos'],
    order: index + 1,
    max_in_flight: 0,
  }))
  return { ...common, LLM_ENDPOINTS: JSON.stringify(endpoints) }
}
