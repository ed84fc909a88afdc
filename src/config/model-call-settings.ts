import { flag, fraction, seconds, secondsOrZero, text, whole } from './setting.ts'

/** How the service calls its model server, and what it takes from an answer. */
export const modelCallSettings = {
  openai_api_base: text({
    default: 'http://127.0.0.1:8080/v1',
    format: 'http-url',
    description: 'Base URL of the OpenAI-compatible model server.',
  }),
  openai_api_key: text({
    default: 'not-needed',
    secret: true,
    description: 'API key of the model server.',
  }),
  openai_api_model: text({
    default: '',
    description: 'Model to ask for. Empty: the first one that the server lists.',
  }),
  openai_temperature: fraction({
    default: 0.7,
    minimum: 0,
    maximum: 2,
    description: 'Sampling temperature, unless the role or the request says otherwise.',
  }),
  openai_max_tokens: whole({
    default: 4096,
    minimum: 1,
    unit: 'tokens',
    description: "Longest output of one call; never more than half of the model's window.",
  }),
  llm_timeout: seconds({ default: 300, description: 'Longest whole call, streaming included.' }),
  llm_connect_timeout: seconds({ default: 5, description: 'Longest wait for a connection, TLS included.' }),
  llm_first_token_timeout: secondsOrZero({
    default: 0,
    description: 'Longest wait for the first token of a stream. 0: as long as llm_timeout.',
  }),
  llm_idle_timeout: seconds({ default: 60, description: 'Longest wait between two tokens of a stream.' }),
  llm_max_retries: whole({
    default: 3,
    minimum: 0,
    maximum: 10,
    description: 'Tries after the first one: 3 means at most 4.',
  }),
  llm_retry_initial_delay: seconds({
    default: 1,
    description: 'Wait before the first retry. It doubles each time and is multiplied by 0.5 to 1.5 at random.',
  }),
  llm_retry_max_delay: seconds({
    default: 60,
    description: 'Longest wait before a retry; at least llm_retry_initial_delay.',
  }),
  llm_retry_budget_percent: fraction({
    default: 20,
    minimum: 0,
    maximum: 100,
    unit: 'percent',
    description:
      "Share of an endpoint's calls of the last minute that may be retries, but never fewer than 10; beyond it a retry waits.",
  }),
  llm_circuit_breaker_threshold: whole({
    default: 5,
    minimum: 1,
    description: 'Failed calls in a row, per endpoint and model, that open the circuit breaker.',
  }),
  llm_circuit_breaker_timeout: seconds({
    default: 60,
    description: 'How long an open circuit breaker refuses calls before it tries again.',
  }),
  llm_circuit_breaker_half_open: whole({
    default: 3,
    minimum: 1,
    description: 'Successes that close the breaker again; also the most calls it lets through until then.',
  }),
  llm_stream_responses: flag({
    default: true,
    description: "Ask the model server for a stream. False: each step's text arrives in one piece.",
  }),
  llm_max_continuations: whole({
    default: 2,
    minimum: 0,
    description: 'How often a model that stopped at its output limit is asked to go on.',
  }),
  llm_context_window: whole({
    default: 0,
    minimum: 0,
    unit: 'tokens',
    description: "The model's context window, where the server does not tell. 0: learn it.",
  }),
  llm_context_truncation: flag({
    default: true,
    description: 'Cut a prompt that does not fit the window. False: the step fails with context_overflow.',
  }),
  llm_max_response_bytes: whole({
    default: 16_777_216,
    minimum: 1,
    unit: 'bytes',
    description: 'Longest answer of a model; a longer one fails with response_too_large.',
  }),
  max_artifact_bytes: whole({
    default: 1_048_576,
    minimum: 1,
    unit: 'bytes',
    description: 'Largest file that is taken from an answer.',
  }),
  max_artifacts_per_step: whole({
    default: 500,
    minimum: 1,
    description: 'Most files that are taken from one step.',
  }),
  per_file_limit: whole({
    default: 0,
    minimum: 0,
    unit: 'characters',
    description: 'Longest piece of one file in a prompt. 0: as much as fits.',
  }),
  stream_reasoning: flag({
    default: false,
    description: "Send a model's reasoning to readers as step.reasoning events.",
  }),
}
