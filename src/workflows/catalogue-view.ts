import type { AgentProfile } from '../agents/agent.ts'
import type { AgentResource, WorkflowTypeResource } from './resources.ts'
import type { Template } from './templates.ts'
import { wireUsage } from './wire.ts'
import { noUsage } from './workflow.ts'
import type { Usage } from './workflow.ts'

/** A template as `GET /workflow-types` shows it. */
export function viewTemplate(template: Template): WorkflowTypeResource {
  return {
    type: template.type,
    title: template.title,
    description: template.description,
    roles: [...new Set(template.steps.map((step) => step.role))],
    steps: template.steps.map(({ id, role, taskType, dependsOn, onFailure, approval }) => {
      return { id, role, task_type: taskType, depends_on: [...dependsOn], on_failure: onFailure, approval }
    }),
    input: template.input,
    links: { self: `/workflow-types/${template.type}` },
  }
}

interface AgentFigures {
  readonly today: ReadonlyMap<string, { readonly usage: Usage; readonly completedSteps: number }>
  /** Tasks running now, per role. */
  readonly busy: ReadonlyMap<string, number>
}

/** An agent as `GET /agents` shows it. */
export function viewAgent(profile: AgentProfile, { today, busy }: AgentFigures): AgentResource {
  const { role, title, description, enabled, model, temperature, maxTokens, config, taskTypes } = profile
  const running = busy.get(role) ?? 0
  const figures = today.get(role)
  return {
    id: role,
    role,
    title,
    description,
    enabled,
    settings: { model, temperature, max_tokens: maxTokens, config },
    task_types: taskTypes.map((type) => {
      return { name: type.name, title: type.title, deliverables: [...type.deliverables] }
    }),
    status: running > 0 ? 'working' : 'idle',
    running,
    completed_today: figures?.completedSteps ?? 0,
    usage_today: wireUsage(figures?.usage ?? noUsage),
    links: { self: `/agents/${role}`, tasks: `/agents/${role}/tasks` },
  }
}
