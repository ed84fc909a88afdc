import type { AgentTask } from '../../src/agents/agent.ts'
import { type AgentDefaults, type AgentRole, type AgentsParts, createAgents } from '../../src/agents/create-agents.ts'
import type { Model } from '../../src/llm/model.ts'

export const role: AgentRole = {
  id: 'developer',
  title: 'Developer',
  description: 'Writes code.',
  config: { languages: ['python'] },
  taskTypes: [
    { name: 'implementation', title: 'Implementation', instructions: 'Implement it.', deliverables: ['Code', 'Tests'] },
  ],
  systemPrompt: (maxTokens) => `You are a developer. At most ${maxTokens} tokens.`,
}

const defaults: AgentDefaults = {
  temperature: 0.7,
  maxTokens: 1000,
  stream: true,
  maxContinuations: 2,
  contextTruncation: true,
  perFileLimit: 0,
  maxArtifactBytes: 1_048_576,
  maxArtifactsPerStep: 500,
}

export function agentTask(changes: Partial<AgentTask> = {}): AgentTask {
  return {
    role: 'developer',
    step: 'implementation',
    taskType: 'implementation',
    instruction: null,
    requirement: 'Build a login.',
    context: {},
    files: [],
    earlier: [],
    target: { endpoint: 'default', model: 'm', contextWindow: null, tokenRatio: 1 },
    options: {},
    revision: null,
    carried: null,
    promptLimit: null,
    mayCut: true,
    ...changes,
  }
}

/** A team of one developer on the given model. */
export function teamOf(
  model: Model,
  changes: Partial<Omit<AgentsParts, 'defaults'>> & { defaults?: Partial<AgentDefaults> } = {},
) {
  return createAgents({ roles: [role], model, ...changes, defaults: { ...defaults, ...changes.defaults } })
}
