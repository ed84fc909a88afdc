import type { NodeOptions } from '@sentry/node'
import { AppError } from '../errors.ts'
import { traceContext } from '../trace-context.ts'
import { createScrub } from './scrub.ts'
import { createEventScrub, createSpanScrub } from './sentry-scrub.ts'

/** Reports of defects to Sentry. */
export interface Sentry {
  /** Reports an error that nobody planned, with the ids of the work at hand. Never throws. */
  captureDefect(error: unknown): void
  /** Sends what is left, at the latest after `timeoutMs`. Never rejects. */
  close(timeoutMs: number): Promise<void>
}

export interface SentryOptions {
  /** Empty: off, and Sentry's package is not even loaded. */
  readonly dsn: string
  readonly environment: string
  readonly release: string
  /** 0–1. */
  readonly tracesSampleRate: number
  readonly secrets?: readonly string[]
}

// the others report requests, console lines, prompts, or errors that the service reports itself
const integrations = new Set([
  'EventFilters',
  'FunctionToString',
  'LinkedErrors',
  'Dedupe',
  'NodeSystemError',
  'ContextLines',
  'Context',
  'Http',
])

const dsnForm = /^https?:\/\/\w+(?::\w*)?@[^\s/@]+\/(?:[^\s?#]*\/)?\d+$/

/** Starts reporting, if there is a DSN; rejects when it is none. Nothing of prompts, answers, bodies, headers or queries leaves the process. */
export async function startSentry(options: SentryOptions): Promise<Sentry> {
  if (options.dsn === '') return { captureDefect: () => {}, close: async () => {} }
  if (!dsnForm.test(options.dsn)) {
    throw new AppError('internal', 'SENTRY_DSN is not a DSN of Sentry: it looks like https://KEY@HOST/PROJECT.')
  }
  const sentry = await import('@sentry/node')
  const routeNames = sentry.fastifyIntegration({ shouldHandleError: () => false })
  sentry.init({
    ...strictOptions(options),
    integrations: (defaults) => [...defaults.filter(({ name }) => integrations.has(name)), routeNames],
  })
  return {
    captureDefect: (error) => {
      const { correlationId, workflowId, taskId, agentId } = traceContext.getStore() ?? {}
      const tags = { correlation_id: correlationId, workflow_id: workflowId, task_id: taskId, agent_id: agentId }
      sentry.captureException(error, { tags })
    },
    close: async (timeoutMs) => {
      try {
        await sentry.close(timeoutMs)
      } catch {
        // the process ends either way
      }
    },
  }
}

function strictOptions({ dsn, environment, release, tracesSampleRate, secrets = [] }: SentryOptions): NodeOptions {
  const scrub = createScrub([dsn, ...secrets])
  return {
    dsn,
    environment,
    release,
    tracesSampleRate,
    tracePropagationTargets: [],
    maxBreadcrumbs: 0,
    sendClientReports: false,
    dataCollection: {
      userInfo: false,
      cookies: false,
      httpHeaders: false,
      httpBodies: [],
      urlQueryParams: false,
      genAI: { inputs: false, outputs: false },
      mcp: { inputs: false, outputs: false },
      graphQL: { document: false, variables: false },
      databaseQueryData: false,
      queues: false,
      stackFrameVariables: false,
    },
    beforeSend: createEventScrub(scrub),
    beforeSendSpan: createSpanScrub(scrub),
  }
}
