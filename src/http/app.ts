import { fastifySSE } from '@fastify/sse'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { fastify } from 'fastify'
import type { FastifyHttpOptions, RawServerDefault } from 'fastify'
import { watchAccess } from './access.ts'
import type { AppOptions, AppParts, HttpObserver } from './app-parts.ts'
import { authenticate } from './authentication.ts'
import { correlationIdOf } from './correlation.ts'
import { allowOrigins } from './cors.ts'
import { addDescription, addDocs } from './docs.ts'
import { createEventStreams } from './event-stream.ts'
import { answerErrors, answerProblem } from './failure-answers.ts'
import { addCommonHeaders, addGuards } from './guards.ts'
import type { HttpApp } from './http-app.ts'
import { acceptJsonOnly } from './json-body.ts'
import { createKeyring } from './keyring.ts'
import { watchRoutes } from './known-routes.ts'
import { createLazyValidators } from './lazy-validators.ts'
import { watchLoopDelay } from './loop-delay.ts'
import type { LoopDelay } from './loop-delay.ts'
import { keepLowPriorities } from './low-priority.ts'
import { observeRequests } from './observe-requests.ts'
import { createLimits } from './rate-limits.ts'
import type { RouteContext } from './route-context.ts'
import { addAgentRoutes } from './routes/agents.ts'
import { addApprovalRoutes } from './routes/approvals.ts'
import { addArtifactRoutes } from './routes/artifacts.ts'
import { addDescriptionRoutes } from './routes/description.ts'
import { addEventRoutes } from './routes/events.ts'
import { addOperationRoutes } from './routes/operations.ts'
import { addProblemRoutes } from './routes/problems.ts'
import { addRunRoutes } from './routes/runs.ts'
import { addStepVerbRoutes } from './routes/step-verbs.ts'
import { addStepRoutes } from './routes/steps.ts'
import { addTicketRoutes } from './routes/tickets.ts'
import { addWebhookRoutes } from './routes/webhooks.ts'
import { addWorkflowTypeRoutes } from './routes/workflow-types.ts'
import { addWorkflowRoutes } from './routes/workflows.ts'
import { taskDoor, workflowDoor } from './run-door.ts'
import { addSchemas } from './schemas.ts'
import { addSecurityHeaders } from './security-headers.ts'
import { createStartChecks } from './start-checks.ts'
import { createStreamGate } from './stream-gate.ts'
import { traceRequests } from './trace-requests.ts'
import { createStreamTickets } from './stream-tickets.ts'
import { answerExpectation, answerUnreadable } from './unreadable-requests.ts'
import { ajvOptions, invalidRequest } from './validation.ts'

const readRequestMs = 30_000
const maxParameterLength = 1000

function serverOptions(options: AppOptions, observer: HttpObserver) {
  return {
    logger: false,
    bodyLimit: options.bodyLimitBytes,
    trustProxy: typeof options.trustProxy === 'boolean' ? options.trustProxy : [...options.trustProxy],
    requestTimeout: readRequestMs,
    http: { requireHostHeader: false },
    requestIdHeader: false,
    genReqId: ({ headers }) => correlationIdOf(headers),
    // Fastify's own answer is no problem document; draining is refused by the guards.
    return503OnClosing: false,
    routerOptions: { maxParamLength: maxParameterLength },
    schemaController: { compilersFactory: { buildValidator: createLazyValidators(ajvOptions) } },
    schemaErrorFormatter: (errors, part) => invalidRequest(errors, part),
    frameworkErrors: (error, request, reply) => void answerProblem({ request, reply, error }, observer),
    clientErrorHandler: (error, socket) => answerUnreadable(error, socket),
  } satisfies FastifyHttpOptions<RawServerDefault>
}

function addRoutes(app: HttpApp, context: RouteContext): void {
  const checks = createStartChecks(context.parts)
  addWorkflowRoutes(app, context, checks)
  addStepRoutes(app, context)
  addStepVerbRoutes(app, context)
  addApprovalRoutes(app, context)
  addAgentRoutes(app, context, checks)
  for (const door of [workflowDoor, taskDoor]) {
    addRunRoutes(app, context, door)
    addEventRoutes(app, context, door)
    addTicketRoutes(app, context, door)
    addArtifactRoutes(app, context, door)
    addWebhookRoutes(app, context, door)
  }
  addWorkflowTypeRoutes(app, context)
  addOperationRoutes(app, context)
  addDescriptionRoutes(app)
  addProblemRoutes(app)
}

/** Whether the process answers so late that it should take no new work. */
function watchOverload(app: HttpApp, parts: AppParts, limitMs: number): () => boolean {
  if (limitMs === 0) return () => false
  if (parts.loopDelayMs !== undefined) return () => (parts.loopDelayMs?.() ?? 0) > limitMs
  let delay: LoopDelay | null = null
  // What a start takes says nothing of what comes after it.
  app.addHook('onListen', async () => void (delay = watchLoopDelay()))
  app.addHook('onClose', async () => delay?.close())
  return () => (delay?.now() ?? 0) > limitMs
}

/**
 * The HTTP edge: every route of the contract over the service that it is given. It does not listen yet. `close` breaks
 * off the streams that are still open; `parts.leaving` does so before.
 */
export async function createApp(parts: AppParts, options: AppOptions): Promise<HttpApp> {
  const observer = parts.observer ?? {}
  const app = fastify(serverOptions(options, observer)).withTypeProvider<TypeBoxTypeProvider>()
  const routes = watchRoutes(app)
  const { access } = options
  app.decorate('accessTable', watchAccess(app))
  const overloaded = watchOverload(app, parts, access.overloadDelayMs)
  const gate = createStreamGate(parts, { ...options, ...access })
  const streams = createEventStreams({ ...parts, gate, observer, overloaded }, options)
  const keyring = createKeyring(access.apiKeys)
  const tickets = createStreamTickets({ signing: parts.signing, keyring }, { lifeMs: access.ticketMs })

  // What is answered is built here and needs no second look; the schemas are for the description.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  acceptJsonOnly(app)
  answerErrors(app, parts, observer)
  app.server.on('checkExpectation', answerExpectation)
  observeRequests(app, observer)
  traceRequests(app, parts.tracer)
  addCommonHeaders(app)
  await addSecurityHeaders(app)
  await allowOrigins(app, options.corsOrigins)
  authenticate(app, { keyring, tickets, ...(await createLimits(app, access, observer)) })
  addGuards(app, { ...parts, overloaded }, routes)
  keepLowPriorities(app)
  addSchemas(app)
  await app.register(fastifySSE)
  await addDescription(app, options.version)
  addRoutes(app, { parts, options, streams, tickets })
  await addDocs(app)
  app.addHook('preClose', async () => gate.cutAll())
  return app
}
