import { AppError } from '../errors.ts'
import type { Model } from '../llm/model.ts'
import type { AgentProfile, Agents, AgentTask, PreparedTask, TaskType } from './agent.ts'
import { type AnswerPlan, makeAnswer, planFirstCall } from './answer.ts'
import { answerShare, fitPrompt } from './context.ts'
import { createExtractor, type ExtractionLimits, type Extractor } from './extraction.ts'
import { buildUserPrompt } from './prompt.ts'

/** What is needed of a role to work as an agent. */
export interface AgentRole {
  readonly id: string
  readonly title: string
  readonly description: string
  readonly config: Readonly<Record<string, unknown>>
  readonly taskTypes: readonly TaskType[]
  /** The system prompt for answers of at most `maxTokens` tokens. */
  systemPrompt(maxTokens: number): string
}

/** What the configuration says of one role; what it leaves out is the service's default. */
interface AgentSettings {
  readonly enabled: boolean
  readonly model?: string | null
  /** 0–2. */
  readonly temperature?: number | null
  /** Tokens of one call's answer. */
  readonly maxTokens?: number | null
}

/** The service's settings for every role. */
export interface AgentDefaults extends ExtractionLimits {
  readonly temperature: number
  readonly maxTokens: number
  readonly stream: boolean
  readonly maxContinuations: number
  /** false: a prompt that does not fit is `context_overflow`. */
  readonly contextTruncation: boolean
  /** Longest piece of one file in a prompt, in UTF-16 code units; 0 for as much as fits. */
  readonly perFileLimit: number
}

export interface AgentsParts {
  readonly roles: readonly AgentRole[]
  readonly model: Model
  /** By role; a role that is not named is enabled and has the defaults. */
  readonly settings?: Readonly<Record<string, AgentSettings>>
  readonly defaults: AgentDefaults
}

interface Member {
  readonly role: AgentRole
  readonly profile: AgentProfile
}

/** The team: one agent per role, all on one model port. */
export function createAgents(parts: AgentsParts): Agents {
  const extractor = createExtractor(parts.defaults)
  const members = new Map(parts.roles.map((role) => [role.id, { role, profile: profileOf(role, parts.settings) }]))
  return {
    profiles: Array.from(members.values(), ({ profile }) => profile),
    profile: (role) => members.get(role)?.profile,
    prepare(task) {
      const member = members.get(task.role)
      if (member === undefined) throw new AppError('internal', `There is no agent for the role ${task.role}.`)
      return prepareTask(task, member, { ...parts, extractor })
    },
    extract: extractor.extract,
  }
}

function profileOf(role: AgentRole, settings: AgentsParts['settings'] = {}): AgentProfile {
  const own = Object.hasOwn(settings, role.id) ? settings[role.id] : undefined
  const { id, title, description, config, taskTypes } = role
  return {
    role: id,
    title,
    description,
    enabled: own?.enabled ?? true,
    model: own?.model ?? null,
    temperature: own?.temperature ?? null,
    maxTokens: own?.maxTokens ?? null,
    config,
    taskTypes,
  }
}

interface Workshop extends AgentsParts {
  readonly extractor: Extractor
}

function prepareTask(task: AgentTask, { role, profile }: Member, workshop: Workshop): PreparedTask {
  const { defaults, extractor } = workshop
  const { target, options } = task
  const window = target.contextWindow
  const wanted = options.maxTokens ?? profile.maxTokens ?? defaults.maxTokens
  const maxTokens = answerShare({ window, maxTokens: wanted })
  const prompt = buildUserPrompt({
    task,
    taskType: taskTypeOf(task, role),
    perFileLimit: defaults.perFileLimit,
    withoutFiles: extractor.withoutFiles,
  })
  const limits = {
    window,
    maxTokens: wanted,
    promptLimit: task.promptLimit,
    tokenRatio: target.tokenRatio,
    truncation: defaults.contextTruncation && task.mayCut,
  }
  const fitted = fitPrompt(role.systemPrompt(maxTokens), prompt.parts, limits)
  const plan: AnswerPlan = {
    model: workshop.model,
    target,
    temperature: options.temperature ?? profile.temperature ?? defaults.temperature,
    stream: options.stream ?? defaults.stream,
    first: { ...fitted, maxTokens, messages: [system(fitted.system), user(fitted.user)] },
    maxContinuations: defaults.maxContinuations,
    carried: task.carried,
    openBlock: extractor.openBlock,
  }
  const truncatedInput = fitted.truncated || prompt.truncated
  const { inputTokens, maxTokens: callTokens } = planFirstCall(plan)
  return { firstCall: { inputTokens, maxTokens: callTokens }, truncatedInput, run: (run) => makeAnswer(plan, run) }
}

function taskTypeOf(task: AgentTask, role: AgentRole): TaskType | null {
  if (task.taskType === null) return null
  const found = role.taskTypes.find((taskType) => taskType.name === task.taskType)
  if (found === undefined) throw new AppError('internal', `The role ${role.id} has no task type ${task.taskType}.`)
  return found
}

function system(content: string) {
  return { role: 'system' as const, content }
}

function user(content: string) {
  return { role: 'user' as const, content }
}
