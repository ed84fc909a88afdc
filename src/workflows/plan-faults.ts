import type { AgentProfile, Agents } from '../agents/agent.ts'
import { AppError } from '../errors.ts'
import type { InputFault } from '../errors.ts'
import type { CustomStep, StartTask, StartWorkflow } from './requests.ts'
import type { StepDefinition } from './workflow.ts'

/** A step's role that is not there or disabled, and a task type that it does not have. */
export function roleFaults(agents: Agents, step: CustomStep, pointer: string): readonly InputFault[] {
  const profile = agents.profile(step.role)
  if (profile === undefined) {
    const known = agents.profiles.map((other) => other.role).join(', ')
    return [
      { pointer: `${pointer}/role`, detail: `step "${step.id}": "${step.role}" is not a role; there are ${known}` },
    ]
  }
  return [...disabledFaults(agents, step.role, `${pointer}/role`), ...taskTypeFaults(profile, step, pointer)]
}

/** A task type that the role does not have. */
export function taskTypeFaults(profile: AgentProfile, step: CustomStep, pointer: string): readonly InputFault[] {
  const type = step.task_type
  if (type === undefined || profile.taskTypes.some((known) => known.name === type)) return []
  const known = profile.taskTypes.map((other) => other.name).join(', ')
  const detail = `step "${step.id}": "${type}" is not a task type of ${step.role}; there are ${known}`
  return [{ pointer: `${pointer}/task_type`, detail }]
}

/** An approval of a step that is not there, and a gate that a failure would walk around. */
export function gateFaults(steps: readonly StepDefinition[], named: readonly string[]): readonly InputFault[] {
  const known = steps.map(({ id }) => id)
  const unknown = named.flatMap((id, index) =>
    known.includes(id)
      ? []
      : [{ pointer: `/approvals/${index}`, detail: `"${id}" is not a step; there are ${known.join(', ')}` }],
  )
  const tolerant = steps.flatMap(({ id, approval, onFailure }, index) => {
    if (!approval || onFailure !== 'continue') return []
    const pointer = named.includes(id) ? `/approvals/${named.indexOf(id)}` : `/steps/${index}/approval`
    return [{ pointer, detail: `step "${id}" has on_failure "continue", which cannot be together with an approval` }]
  })
  return [...unknown, ...tolerant]
}

/** A role that the operator has switched off. */
export function disabledFaults(agents: Agents, role: string, pointer: string): readonly InputFault[] {
  return agents.profile(role)?.enabled === false ? [{ pointer, detail: `the role "${role}" is disabled here` }] : []
}

/** Throws `invalid-workflow` with all faults, if there is one. */
export function refuse(faults: readonly InputFault[]): void {
  const [first] = faults
  if (first !== undefined) throw new AppError('invalid-workflow', `This cannot be run: ${first.detail}.`, { faults })
}

/** Models that no server lists, of the request and of its steps; nothing while the lists are not all known. */
export function modelFaults(
  listed: readonly string[] | null,
  request: Pick<StartTask, 'options'> & Pick<Partial<StartWorkflow>, 'steps'>,
): readonly InputFault[] {
  if (listed === null) return []
  const asked = [
    { pointer: '/options/model', model: request.options?.model },
    ...(request.steps ?? []).map((step, index) => {
      return { pointer: `/steps/${index}/options/model`, model: step.options?.model }
    }),
  ]
  return asked.flatMap(({ pointer, model }) =>
    model === undefined || listed.includes(model)
      ? []
      : [{ pointer, detail: `no model server lists "${model}"; there are ${listed.slice(0, 20).join(', ')}` }],
  )
}
