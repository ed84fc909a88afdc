/** One mistake in the configuration. */
export interface Fault {
  /** `config.yaml:12`, `LLM_TIMEOUT`, `.env: LLM_TIMEOUT` or `--config`. */
  readonly place: string
  /** What is wrong; never holds a value that could be a secret. */
  readonly detail: string
}

/** Every mistake of a configuration at once. The process cannot start with it: exit code 78. */
export class ConfigError extends Error {
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    super(faults.map(line).join('\n'))
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/** The faults for a person: a heading and a line for each, without a newline at the end. */
export function describeFaults(error: ConfigError): string {
  const count = error.faults.length === 1 ? 'a mistake' : `${error.faults.length} mistakes`
  return [`The configuration has ${count}:`, ...error.faults.map((fault) => `  ${line(fault)}`)].join('\n')
}

function line(fault: Fault): string {
  return `${fault.place}: ${fault.detail}`
}
