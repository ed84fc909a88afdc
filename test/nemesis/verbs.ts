import type { Pick } from './cluster.ts'
import { post } from './request.ts'
import type { ClientParts } from './request.ts'
import type { TrackedWorkflow, Verb } from './tracked-workflow.ts'

/** What somebody wants done to a workflow. */
export interface Wish {
  readonly verb: Verb
  /** Of rerun, approve and reject. */
  readonly step?: string
  /** The text that an answer is meant for. */
  readonly attempt?: number
  /** An edited output of an approval. */
  readonly output?: string
}

/** Answers that verbs may get of a workflow that there is. */
const lawful = new Set([200, 202, 409])

/** Sends a verb under a key of its own, until it is answered. */
export async function sendVerb(
  parts: ClientParts,
  tracked: TrackedWorkflow,
  { key, pick, ...wish }: Wish & { readonly key: string; readonly pick: Pick },
): Promise<number> {
  const { verb, step, attempt, output } = wish
  const path = `/workflows/${tracked.id}${step === undefined ? '' : `/steps/${step}`}/${verb}`
  const feedback = verb === 'reject' ? { feedback: `Say it better, asks ${key}.` } : {}
  const body = {
    ...feedback,
    ...(attempt === undefined ? {} : { attempt }),
    ...(output === undefined ? {} : { output }),
  }
  const onAnswer = tracked.sending(verb, key)
  const { status, unanswered } = await post(parts, { path, body, key, workflow: tracked.id }, pick)
  onAnswer({ status, unanswered })
  if (!lawful.has(status)) parts.onFault(`${verb} [${key}] was answered ${status}`, tracked.id)
  return status
}
