/** Variables of a process, as `process.env`. */
export type Variables = Readonly<Record<string, string | undefined>>

/** What the `OTEL_*` variables ask for, as far as it is not left to OpenTelemetry's own exporter. */
export interface TraceSettings {
  readonly serviceName: string | null
  readonly sampler: SamplerName
  /** 0–1; 1 where nothing is said. */
  readonly ratio: number
  /** Options of the batches; what is not set keeps OpenTelemetry's default. */
  readonly batches: {
    readonly scheduledDelayMillis?: number
    readonly exportTimeoutMillis?: number
    readonly maxQueueSize?: number
    readonly maxExportBatchSize?: number
  }
}

const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const
type SamplerName = (typeof samplers)[number]

/** The settings, or null: no traces are wanted; and what their author should know. */
export interface ReadTraceSettings {
  readonly settings: TraceSettings | null
  readonly warnings: readonly string[]
}

/**
 * Reads the variables as OpenTelemetry's specification has them ("Environment Variable Specification"): what makes no
 * sense is told and ignored, never refused. Traces are wanted when an endpoint is named.
 */
export function readTraceSettings(variables: Variables): ReadTraceSettings {
  const read = (name: string) => variables[name]?.trim() ?? ''
  const off: ReadTraceSettings = { settings: null, warnings: [] }
  const named = read('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') || read('OTEL_EXPORTER_OTLP_ENDPOINT')
  if (named === '' || read('OTEL_SDK_DISABLED').toLowerCase() === 'true') return off
  const exporter = read('OTEL_TRACES_EXPORTER')
  if (exporter === 'none') return off
  if (!isHttpUrl(named)) return { ...off, warnings: ['OTEL_EXPORTER_OTLP_ENDPOINT is no http(s) URL: no traces.'] }
  const warnings: string[] = []
  if (!['', 'otlp'].includes(exporter)) warnings.push('OTEL_TRACES_EXPORTER is not otlp: traces are sent by OTLP.')
  const protocol = read('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') || read('OTEL_EXPORTER_OTLP_PROTOCOL')
  if (!['', 'http/json', 'http/protobuf'].includes(protocol)) {
    warnings.push(
      `OTEL_EXPORTER_OTLP_PROTOCOL is ${protocol}: traces are sent by HTTP with JSON, which a collector takes on port 4318.`,
    )
  }
  const sampler = readSampler(read('OTEL_TRACES_SAMPLER'), warnings)
  const ratio = readRatio(read('OTEL_TRACES_SAMPLER_ARG'), sampler, warnings)
  const serviceName = read('OTEL_SERVICE_NAME') || null
  return { settings: { serviceName, sampler, ratio, batches: readBatches(read, warnings) }, warnings }
}

/** The values of the headers that traces are sent with: secrets, as a rule. */
export function otelSecrets(variables: Variables): readonly string[] {
  const lists = [variables['OTEL_EXPORTER_OTLP_HEADERS'], variables['OTEL_EXPORTER_OTLP_TRACES_HEADERS']]
  const pairs = lists.flatMap((list) => (list ?? '').split(','))
  const values = pairs.map((pair) => pair.slice(pair.indexOf('=') + 1).trim())
  return values.flatMap(readings).filter((value) => value !== '')
}

/** Of `Bearer TOKEN` the token is the secret. */
function readings(value: string): readonly string[] {
  const [, ...words] = decoded(value).split(' ')
  return [value, decoded(value), ...words]
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

function readSampler(name: string, warnings: string[]): SamplerName {
  const found = samplers.find((sampler) => sampler === name)
  if (found === undefined && name !== '') {
    warnings.push(`OTEL_TRACES_SAMPLER is none of ${samplers.join(', ')}: parentbased_always_on is used.`)
  }
  return found ?? 'parentbased_always_on'
}

function readRatio(text: string, sampler: SamplerName, warnings: string[]): number {
  if (text === '' || !sampler.endsWith('traceidratio')) return 1
  const ratio = Number(text)
  if (ratio >= 0 && ratio <= 1) return ratio
  warnings.push('OTEL_TRACES_SAMPLER_ARG is no number from 0 to 1: every trace is sampled.')
  return 1
}

const batchVariables = {
  scheduledDelayMillis: 'OTEL_BSP_SCHEDULE_DELAY',
  exportTimeoutMillis: 'OTEL_BSP_EXPORT_TIMEOUT',
  maxQueueSize: 'OTEL_BSP_MAX_QUEUE_SIZE',
  maxExportBatchSize: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
} as const

function readBatches(read: (name: string) => string, warnings: string[]): TraceSettings['batches'] {
  const entries = Object.entries(batchVariables).flatMap(([option, variable]) => {
    const text = read(variable)
    if (text === '') return []
    if (/^[1-9]\d{0,8}$/.test(text)) return [[option, Number(text)]]
    warnings.push(`${variable} is no positive whole number: OpenTelemetry's default is used.`)
    return []
  })
  return Object.fromEntries(entries) as TraceSettings['batches']
}
