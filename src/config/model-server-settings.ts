import { Type, type Static } from '@sinclair/typebox'
import { text } from './setting.ts'

const Endpoint = Type.Object(
  {
    name: Type.String({ format: 'endpoint-name', description: 'What logs, metrics and records call it; unique.' }),
    base_url: Type.String({ format: 'http-url', description: 'Its base URL.' }),
    api_key: text({
      default: '',
      secret: true,
      description: 'Its API key, or api_key_file with the path of a file that holds it. Empty: none is sent.',
    }),
    models: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      uniqueItems: true,
      description: 'Models that it serves. Empty: those that it lists.',
    }),
    order: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'The lowest is asked first; equal ones share the calls. Left out: its place in the list, from 1.',
      }),
    ),
    max_in_flight: Type.Integer({ default: 0, minimum: 0, description: 'Most calls to it at once. 0: no limit.' }),
  },
  { additionalProperties: false },
)

const Price = Type.Object(
  {
    input: Type.Number({ minimum: 0, unit: 'USD per million tokens', description: 'Price of what is sent.' }),
    cached_input: Type.Optional(
      Type.Number({
        minimum: 0,
        unit: 'USD per million tokens',
        description: 'Price of the part that the server had cached. Left out: as input.',
      }),
    ),
    output: Type.Number({ minimum: 0, unit: 'USD per million tokens', description: 'Price of what is answered.' }),
  },
  { additionalProperties: false },
)

/** Any name but the one that would set a prototype; no line breaks, so that it can stand in a message. */
const MODEL_NAMES = {
  pattern: String.raw`^(?!__proto__$)\P{Cc}{1,300}$`,
  description: 'a model has a name of 1 to 300 characters, without control characters',
}

/** The servers that the service may call, what they cost, and what to do where one model is too small. */
export const modelServerSettings = {
  llm: Type.Object(
    {
      endpoints: Type.Array(Endpoint, {
        default: [],
        maxItems: 50,
        description: 'Model servers, and how to share calls between them. Empty: the one of openai_api_base.',
        examples: [
          [
            { name: 'local', base_url: 'http://127.0.0.1:8080/v1', models: ['qwen2.5:14b'], max_in_flight: 4 },
            {
              name: 'cloud',
              base_url: 'https://api.openai.com/v1',
              api_key_file: 'secrets/openai',
              models: ['gpt-4o'],
            },
          ],
        ],
      }),
      context_fallback_model: text({
        default: '',
        description: 'Model that gets a prompt which overflows the window of its own. Empty: none.',
      }),
      prices: Type.Unsafe<Record<string, Static<typeof Price>>>({
        type: 'object',
        propertyNames: MODEL_NAMES,
        additionalProperties: Price,
        default: {},
        description: 'What models cost, by name; gives cost_usd. A model without a price costs null.',
        examples: [{ 'gpt-4o': { input: 2.5, cached_input: 1.25, output: 10 } }],
      }),
    },
    { default: {}, additionalProperties: false },
  ),
}

/** One model server, with every default filled in. */
interface EndpointSettings {
  /** Unique; lower-case letters, digits, `.`, `_` and `-`. */
  readonly name: string
  readonly baseUrl: string
  /** Empty: send no Authorization. */
  readonly apiKey: string
  /** Empty: whatever the server lists. */
  readonly models: readonly string[]
  /** The lowest is asked first; equal ones share the calls. */
  readonly order: number
  /** 0: no limit. */
  readonly maxInFlight: number
}

/** What a model costs, in USD per million tokens. */
interface PriceSettings {
  readonly input: number
  readonly cachedInput: number
  readonly output: number
}

/** The settings below `llm`. */
export interface ModelServerSettings {
  /** Empty: none. */
  readonly contextFallbackModel: string
  /** By model name; without a prototype, so that any name can be looked up. */
  readonly prices: Readonly<Record<string, PriceSettings>>
  /** Empty: one, from `openaiApiBase` and `openaiApiKey`. */
  readonly endpoints: readonly EndpointSettings[]
}
