import { expect } from 'vitest'

import type { LifecycleType } from '../../src/workflows/events.ts'
import type { NewWorkflow } from '../../src/workflows/store.ts'
import type { StoredDelivery } from '../../src/workflows/webhooks.ts'
import type { WorkflowState } from '../../src/workflows/workflow.ts'
import { change, event, newWorkflow } from './fixtures.ts'
import type { StoreBench } from './store-bench.ts'

export const webhookSecret = 'whsec_of-this-workflow'

/** Stored workflows with a webhook. */
export interface ToldWorkflows {
  /** One that is told of these events, at this host. */
  created(events: readonly LifecycleType[], host?: string): Promise<WorkflowState>
  /** One more change, with events of these types. */
  happened(before: WorkflowState, ...types: LifecycleType[]): Promise<WorkflowState>
  log(id: string): Promise<readonly StoredDelivery[]>
  statuses(id: string): Promise<readonly string[]>
}

function told(events: readonly LifecycleType[], host: string): NewWorkflow {
  const workflow = newWorkflow({ webhookEvents: events })
  const url = `https://${host}/hooks/1`
  return {
    ...workflow,
    input: { ...workflow.input, webhook: { url, events } },
    webhook: { url, origin: `https://${host}`, secret: webhookSecret },
  }
}

export function createToldWorkflows(bench: StoreBench): ToldWorkflows {
  const log = (id: string) => bench.storage().deliveries.list(id)
  return {
    log,
    statuses: async (id) => (await log(id)).map(({ status }) => status),
    async created(events, host = 'a.example') {
      const workflow = told(events, host)
      await bench.storage().store.create(workflow, null)
      return workflow.state
    },
    async happened(before, ...types) {
      const events = types.map((type, n) => event(before.seq + 1 + n, type))
      const next = change(before, {}, { events })
      expect(await bench.storage().store.commit(next)).toBe(true)
      return next.state
    },
  }
}
