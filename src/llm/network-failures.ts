import type { FailureCode } from '../errors.ts'
import { fieldsOf, textOf } from './json-fields.ts'

/** The `code` of the innermost cause that has one: undici, the SDK and TLS wrap each other. */
export function networkCodeOf(error: unknown): string {
  let code = ''
  let current = error
  for (let depth = 0; depth < 8 && current !== undefined; depth += 1) {
    const { code: named, cause } = fieldsOf(current)
    code = textOf(named) ?? code
    current = cause
  }
  return code
}

/** What an exception of the network means. `answering`: the answer had begun. */
export interface NetworkFailure {
  readonly code: FailureCode
  readonly retryable: boolean
  readonly message: string
}

const certificate = /CERT|SIGNATURE|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED/
const connecting: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'The model server refuses connections',
  ENOTFOUND: 'The name of the model server is unknown',
  EAI_AGAIN: 'The name of the model server cannot be looked up at the moment',
  EHOSTUNREACH: 'There is no route to the model server',
  ENETUNREACH: 'There is no route to the model server',
  EADDRNOTAVAIL: 'There is no route to the model server',
  ETIMEDOUT: 'The model server cannot be reached',
  UND_ERR_CONNECT_TIMEOUT: 'No connection to the model server in time (LLM_CONNECT_TIMEOUT)',
}

/** By `code`, never by class: several versions of undici may be about. */
export function classifyNetworkError(code: string, answering: boolean): NetworkFailure {
  const suffix = code === '' ? '' : ` (${code})`
  if (certificate.test(code)) {
    return {
      code: 'llm_unreachable',
      retryable: false,
      message: `The model server's certificate is not valid${suffix}: check OPENAI_API_BASE, or trust its issuer by NODE_EXTRA_CA_CERTS`,
    }
  }
  if (/^ERR_(?:SSL|TLS)_/.test(code) || code === 'EPROTO') {
    return { code: 'llm_unreachable', retryable: true, message: `No secure connection to the model server${suffix}` }
  }
  const reason = connecting[code]
  if (reason !== undefined && !answering) return { code: 'llm_unreachable', retryable: true, message: reason + suffix }
  return answering
    ? {
        code: 'llm_truncated',
        retryable: true,
        message: `The model server broke off in the middle of its answer${suffix}`,
      }
    : { code: 'llm_error', retryable: true, message: `The model server broke off before it answered${suffix}` }
}
