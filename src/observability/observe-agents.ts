import type { Agents } from '../agents/agent.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

/** The same team; every prompt of which something had to be cut is logged and counted. */
export function observeAgents(
  agents: Agents,
  { log, metrics }: { readonly log: Log; readonly metrics: Metrics | null },
): Agents {
  const logger = log.logger('agents.prompt')
  return {
    profiles: agents.profiles,
    profile: (role) => agents.profile(role),
    extract: (text, options) => agents.extract(text, options),
    prepare: (task) => {
      const prepared = agents.prepare(task)
      if (prepared.truncatedInput) {
        metrics?.recordPromptCut()
        const { endpoint, model, contextWindow } = task.target
        logger.info("The prompt was cut to fit the model's context.", {
          agentId: task.role,
          step: task.step,
          endpoint,
          model,
          contextWindow,
        })
      }
      return prepared
    },
  }
}
