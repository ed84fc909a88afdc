import type { FastifyReply } from 'fastify'
import type { TaskResource, WorkflowResource } from '../workflows/resources.ts'
import type { Outcome, WorkflowRef } from '../workflows/service.ts'

/** A workflow or a task. */
export type Run = WorkflowResource | TaskResource

/** Says that an answer is a repetition. */
export function replayHeaders({ replayed }: Outcome<Run>): Record<string, string> {
  return replayed ? { 'idempotency-replayed': 'true' } : {}
}

/** The path of a resource. */
export function refOf(run: Run): WorkflowRef {
  return 'role' in run ? { kind: 'task', role: run.role, id: run.id } : { kind: 'workflow', id: run.id }
}

const atRest: ReadonlySet<string> = new Set(['completed', 'incomplete', 'failed', 'skipped', 'cancelled', 'waiting'])

/** Whether it has ended, or waits for a person. */
export function isAtRest({ status }: Run): boolean {
  return atRest.has(status)
}

/** 202 with the resource, or 200 where there was nothing to change. */
export function sendOutcome(reply: FastifyReply, outcome: Outcome<Run>): FastifyReply {
  return reply
    .code(outcome.changed ? 202 : 200)
    .headers(replayHeaders(outcome))
    .send(outcome.resource)
}
